"""How a signal comes back: edges, paths, bounds, maps, regimes."""
