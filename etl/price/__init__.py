"""Price: tokens of an example, facts of models, what training on a build would cost."""
