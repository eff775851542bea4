"""
Bodies of the requests that Together takes.

Every setting is sent as together 3.1.1 (`lib/types/fine_tuning.py`) sends it, so that none changes with a default of the service.
"""

from saturi.etl.providers.exchange import Json
from saturi.schemas.remote import JobRequest

FILES, JOBS = "/files", "/fine-tunes"
ESTIMATE, LIMITS = f"{JOBS}/estimate-price", f"{JOBS}/models/limits"
PARTS = f"{FILES}/multipart"

_METHOD = {"method": "sft", "train_on_inputs": False}  # the loss is on answers alone, as elsewhere
_SETTINGS: Json = {
    "packing": True,  # without it each example is billed like the longest there may be
    "batch_size": "max",
    "learning_rate": 1e-5,
    "lr_scheduler": {"lr_scheduler_type": "cosine", "lr_scheduler_args": {"min_lr_ratio": 0.0, "num_cycles": 0.5}},
    "warmup_ratio": 0.0,
    "max_grad_norm": 1.0,
    "weight_decay": 0.0,
    "n_checkpoints": 1,
    "n_evals": 0,
    "training_method": _METHOD,
}
_PRICED = ("training_file", "model", "from_checkpoint", "n_epochs", "n_evals", "training_method", "training_type")


def file_form(name: str) -> dict[str, str]:
    """Return the form that asks for the address of the file *name*, which holds the hash of its content."""
    return {"purpose": "fine-tune", "file_name": name, "file_type": "jsonl", "checksum": checksum_in(name)}


def parts_body(name: str, size: int, parts: int) -> Json:
    """Return the body of the request for the addresses of so many *parts* of a file of *size* bytes."""
    return {**file_form(name), "file_size": size, "num_parts": parts}


def checksum_in(name: str) -> str:
    """Return the SHA-256 in the name of a file."""
    return name.removeprefix("saturi-").partition(".")[0]


def job_body(request: JobRequest) -> Json:
    """Return the body of the request that creates the job of *request*."""
    given: Json = {
        "from_checkpoint" if request.is_tune else "model": request.model,
        "training_file": request.training_file,
        "n_epochs": request.epochs,
        "suffix": request.suffix,
        "random_seed": request.seed,
        **_SETTINGS,
        **request.extra,
    }
    return {name: value for name, value in given.items() if value is not None}


def estimate_body(request: JobRequest) -> Json:
    """Return the body of the request for the price of the job of *request*."""
    return {name: value for name, value in job_body(request).items() if name in _PRICED}
