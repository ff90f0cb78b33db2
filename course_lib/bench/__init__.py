"""How fast is the stack, next to torch.nn and others, and how far is it from what the core can do? `course bench`.

shapes     what is computed, and how many operations that takes
rounds     the clock: all candidates in turn, medians and quartiles, ratios within a round
alone      one thread, one core
peers      who computes it: the stack, torch.nn, a plain loop, JAX, ONNX Runtime, Keras
agreement  does a candidate compute the same numbers? if not, it is not timed
floor      what the core can do: multiply-adds and reading, measured
memory     the peak of one training step;  threads  torch's own number of threads
ladder     what each step from the plain loop to the kernel won
measure    all of it in one run: a Report;  report, text, picture  how it is kept, told and drawn
"""
