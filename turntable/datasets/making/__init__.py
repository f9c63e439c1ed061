"""A data set in the making: who works on it, what has been made of it, and where it goes."""
