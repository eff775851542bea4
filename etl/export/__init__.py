"""Export a build to what trains open models: TRL, Axolotl, LLaMA-Factory, Unsloth, or a Hugging Face dataset folder."""
