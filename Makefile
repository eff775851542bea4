# `make demo` and `make test` set up everything they need; they work in any order and any number of times.

PYTHON ?= python3
BIN := .venv/bin
CORPUS := build/demo/corpus
RESULT := build/demo/result
TOY := build/demo-train
TRL := $(CURDIR)/build/trainers/trl/bin
# Three tests for two processors: a test waits a fifth of its time, for a storage, a server or a worker.
AT_ONCE = --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-train test test-thorough coverage test-export test-schemas test-unsloth lint types docs pictures man bench bench-full clean

help:
	@echo "make demo   write a synthetic corpus, build it, verify it, submit it to a provider of our own, watch the job, evaluate, report"
	@echo "make demo-train   the whole way on this machine: build, train a toy model with TRL, serve it, evaluate; needs torch, too"
	@echo "make test   run the tests, each kind once; make test-thorough: all cases, with higher counts; make test-export: those that train with TRL, mlx-lm and LLaMA-Factory (3 GB)"
	@echo "make test-unsloth   talk to Unsloth Studio itself, without a GPU; installs 1.1 GB, but no torch"
	@echo "make test-schemas   hold requests against the models that the SDKs of OpenAI, Together and Fireworks publish; installs 90 MB"
	@echo "make coverage   run the tests, and list the lines and branches that none of them takes"
	@echo "make lint   ruff; make types: mypy; make docs: the documents as a site; make bench: the speed of the build; make bench-full: of 700,000 label files"
	@echo "make pictures   draw the terminal in the README anew; make man: the manual page, build/saturi.1"

# `compat` puts a path where Python looks; else a finder is loaded by every process, which takes as long as Python itself.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --config-settings editable_mode=compat --editable ".[dev,bench]"
	touch .venv/ready

setup: .venv/ready

demo: setup
	$(BIN)/saturi sample $(CORPUS) --files 2000
	$(BIN)/saturi build $(CORPUS) --out $(RESULT)
	$(BIN)/saturi verify $(RESULT)
	@echo
	@echo "The chunks lie in $(RESULT)/chunks, the first line of one of them:"
	@head -n 1 $(RESULT)/chunks/train/gyeongsang-answer-00000.jsonl
	@echo
	@echo "To a provider of our own on this machine, which needs no account:"
	rm -rf $(RESULT)/ledger.sqlite $(RESULT)/evaluation
	OPENAI_API_KEY=none $(BIN)/python -m tests.provider --folder build/demo/provider --run sh -ec '\
		$(BIN)/saturi submit $(RESULT) --base-url {base_url} --model gpt-4.1-mini-2025-04-14 --epochs 2 \
			--providers tests/provider/providers.toml --models tests/provider/models.toml \
			--accept-data-terms --yes --max-cost 10 && \
		$(BIN)/saturi watch $(RESULT) --every 0.5 && \
		echo && \
		echo "The base model, which chats there, and the tune, which has learnt word by word, beside copying:" && \
		$(BIN)/saturi evaluate $(RESULT)'
	@echo
	@echo "And all of it on one page, to be opened in a browser:"
	$(BIN)/saturi report $(RESULT)

test: setup
	$(BIN)/python -m pytest $(AT_ONCE)

test-thorough: setup
	$(BIN)/python -m pytest --thorough $(AT_ONCE)

coverage: setup
	rm -rf build/coverage && mkdir -p build/coverage
	# Whether they pass is for `make test` to say: the tracer slows every process, and some tests end processes in time.
	-$(BIN)/coverage run -m pytest $(AT_ONCE)
	# The tests kill processes, some in the middle of writing their part: a part that cannot be read is left out.
	$(BIN)/coverage combine --quiet || test -s build/coverage/data
	$(BIN)/coverage report

# The trainers' pins exclude each other and ours: an environment for each, with the versions in its constraints file.
TRAINERS := trl mlx llama-factory
PACKAGES_trl := trl peft transformers[serving]
PACKAGES_mlx := mlx[cpu] mlx-lm
# LLaMA-Factory without its web pages, pictures and sounds: what it needs to train, and then itself alone.
PACKAGES_llama-factory := accelerate datasets einops omegaconf peft protobuf pyyaml sentencepiece torch transformers trl tyro
ALONE_llama-factory := llamafactory torchaudio

build/trainers/%/ready: constraints-%.txt
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	PIP_CONSTRAINT=$(CURDIR)/$< PIP_DISABLE_PIP_VERSION_CHECK=1 $(@D)/bin/python -m pip install --quiet --no-compile $(PACKAGES_$*)
	$(if $(ALONE_$*),PIP_CONSTRAINT=$(CURDIR)/$< PIP_DISABLE_PIP_VERSION_CHECK=1 $(@D)/bin/python -m pip install --quiet --no-compile --no-deps $(ALONE_$*))
	# The library of torchaudio's wheel wants CUDA; without it the module is Python alone, and nothing here hears anything.
	find $(@D) -path '*/torchaudio/lib/*.so' -delete
	touch $@

# Beside what `export` wrote, four things differ from tuning: there is no GPU, all weights are trained, of full precision, and faster.
# A toy is too small for two threads: on a busy machine they wait for each other eight times as long as one computes.
demo-train: export OMP_NUM_THREADS = 1
demo-train: setup build/trainers/trl/ready
	rm -rf $(TOY)
	$(BIN)/saturi sample $(TOY)/corpus --files 8000
	$(BIN)/saturi build $(TOY)/corpus --out $(TOY)/result --unit sentence --speech-type answer --system-prompt ""
	@echo
	@echo "A base model of random numbers, whose tokens are made from the texts of train:"
	$(TRL)/python -m tests.toy.model $(TOY)/result/chunks/train $(TOY)/base
	$(BIN)/saturi export $(TOY)/result --to trl --base-model $(CURDIR)/$(TOY)/base
	cd $(TOY)/result/export/trl && HF_HUB_OFFLINE=1 HF_HOME=$(CURDIR)/$(TOY)/home $(TRL)/trl sft --config sft.yaml \
		--use_cpu true --use_peft false --dtype float32 --learning_rate 3e-3 --disable_tqdm true
	mv $(TOY)/result/export/trl/model-* $(TOY)/tuned
	@echo
	@echo "Both models, served by transformers, beside copying:"
	OPENAI_API_KEY=none $(BIN)/python -m tests.toy.serving $(TRL)/transformers $(TOY) \
		$(BIN)/saturi evaluate $(TOY)/result --model tuned --base-model base --provider custom --base-url {base_url} \
			--concurrency 2 --fail-below exact=80 --fail-below chrf=95 --fail-below edit_f05=80
	$(BIN)/python -m tests.toy.verdict $(TOY)/result/evaluation/validation
	@echo
	@echo "The card of the tune; its licence notice is that of the real corpus, of which the sample has nothing:"
	$(BIN)/saturi export $(TOY)/result --card tuned

test-export: setup $(TRAINERS:%=build/trainers/%/ready)
	$(BIN)/python -m pytest $(subst -,_,$(TRAINERS:%=tests/test_export_%.py)) --trainers build/trainers --numprocesses logical

# What other providers' own SDKs say that a request is; they are installed for this alone.
SCHEMAS := build/schemas

$(SCHEMAS)/ready: constraints-schemas.txt
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	PIP_CONSTRAINT=$(CURDIR)/$< PIP_DISABLE_PIP_VERSION_CHECK=1 $(@D)/bin/python -m pip install --quiet --no-compile together fireworks-ai
	touch $@

test-schemas: setup $(SCHEMAS)/ready
	$(BIN)/python -m pytest tests/test_published_requests.py --schemas $(SCHEMAS)/bin/python

# Unsloth Studio's server without torch, which is all that its routes need; what it needs is listed in its own wheel.
STUDIO := build/unsloth
STUDIO_LISTS := $(STUDIO)/lib/python3*/site-packages/studio/backend/requirements

$(STUDIO)/ready: Makefile
	$(PYTHON) -m venv $(STUDIO)
	$(STUDIO)/bin/python -m pip install --quiet --no-deps unsloth==2026.10.9
	# certifi is pinned there to a version that was withdrawn; it comes with the second list.
	cat $(STUDIO_LISTS)/no-torch-runtime.txt | grep -v '^certifi==' > $(STUDIO)/without-torch.txt
	$(STUDIO)/bin/python -m pip install --quiet --no-deps --requirement $(STUDIO)/without-torch.txt
	$(STUDIO)/bin/python -m pip install --quiet --requirement $(STUDIO_LISTS)/studio.txt
	touch $(STUDIO)/ready

test-unsloth: setup $(STUDIO)/ready
	$(BIN)/python -m pytest tests/test_studio_itself.py --unsloth $(STUDIO)/bin/python

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

docs: setup
	# Every warning is an error: a link that leads nowhere, a page that no other leads to, a docstring that is no text.
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env docs build/site
	@echo "build/site/index.html"

pictures: setup
	$(BIN)/python docs/make_pictures.py

man: setup
	$(BIN)/python docs/make_man.py build/saturi.1

bench: setup
	$(BIN)/python -m benchmarks

bench-full: setup
	$(BIN)/python -m benchmarks.full

clean:
	rm -rf build .venv
