"""A language model of 30,000 random numbers as GGUF, which a real server takes; it has the bytes as its tokens."""

from pathlib import Path

import gguf
import numpy as np

_WIDTH, _HEADS, _HIDDEN, _CONTEXT = 32, 2, 64, 2048
_TOKENS = [b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256)), "▁".encode()]
_TYPES = [
    gguf.TokenType.UNKNOWN,
    gguf.TokenType.CONTROL,
    gguf.TokenType.CONTROL,
    *[gguf.TokenType.BYTE] * 256,
    gguf.TokenType.NORMAL,
]
_TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"


def write_tiny_model(path: Path) -> Path:
    """Write the model to *path*, and return it."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_HIDDEN)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(_TOKENS)
    writer.add_token_scores([0.0] * len(_TOKENS))
    writer.add_token_types(_TYPES)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_vocab_size(len(_TOKENS))
    writer.add_chat_template(_TEMPLATE)
    for name, values in _tensors().items():
        writer.add_tensor(f"{name}.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)

    def random(*shape: int) -> np.ndarray:
        return (generator.standard_normal(shape) * 0.05).astype(np.float32)

    ones = np.ones(_WIDTH, np.float32)
    attention = {f"blk.0.attn_{part}": random(_WIDTH, _WIDTH) for part in ("q", "k", "v", "output")}
    return {
        "token_embd": random(len(_TOKENS), _WIDTH),
        "output": random(len(_TOKENS), _WIDTH),
        "output_norm": ones,
        "blk.0.attn_norm": ones,
        "blk.0.ffn_norm": ones,
        **attention,
        "blk.0.ffn_gate": random(_HIDDEN, _WIDTH),
        "blk.0.ffn_up": random(_HIDDEN, _WIDTH),
        "blk.0.ffn_down": random(_WIDTH, _HIDDEN),
    }
