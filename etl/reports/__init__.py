"""Reports: a finished build, its training and its evaluations as one page of numbers and charts; nothing is sent."""
