"""The rooms of Saturi, from label archives to a tuned model; what is public in them is imported from `saturi`."""
