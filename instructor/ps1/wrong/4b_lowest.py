# only the lowest fault is named; a layer above a fault can have one of its own
def diagnose(x, h, c, cells):
    """What is wrong with each layer, bottom to top."""
    words = ["healthy"]
    for layer, cell in enumerate(cells[1:], start=1):
        own, below = (h[:-1, layer], c[:-1, layer]), (h[:-1, layer - 1], c[:-1, layer - 1])
        tries = {
            "healthy": (h[1:, layer - 1], *own),
            "reads c": (c[1:, layer - 1], *own),
            "late": (h[:-1, layer - 1], *own),
            "raw input": (x, *own),
            "borrowed state": (h[1:, layer - 1], *below),
        }
        off = {word: (peephole_step(*given, *cell)[0] - h[1:, layer]).abs().max() for word, given in tries.items()}
        words.append(min(off, key=off.get) if set(words) == {"healthy"} else "healthy")
    return words
