"""Public chest X-ray collections, phantoms and signed reports on disk -> one manifest (docs/training-data.md).

One module per collection knows its official layout (`mimic_cxr`, `chexpert_plus`, `rexgradient`, `iu_xray`, `nih`,
`phantoms`, `feedback`); `prepare` is the command, `shards` the work that runs in processes or on Ray, `mixture` makes
one manifest of several.
"""
