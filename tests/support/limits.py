"""The package's limits of memory and cost, which tests make small."""

from sksoftmax import model
from sksoftmax.data import copies, inputs, preprocessing, relevance, rows, statistics
from sksoftmax.engines import compiled_engine, numpy_engine
from sksoftmax.training import boosted_fit, calibration, radial_fit, run

HOLDERS = {  # a limit → the modules that hold it
    "BLOCK": [inputs, preprocessing, rows],
    "COLUMN_NUMBERS": [statistics],
    "CHUNK_NUMBERS": [model],
    "COPY_BYTES": [rows],
    "GRADIENT_ROWS": [compiled_engine],
    "MAX_ALL_KNOWN": [statistics],
    "MAX_CALIBRATION_ROWS": [calibration],
    "MAX_CALIBRATION_ROWS_OF_EPOCH": [run],
    "MAX_EMBEDDED": [statistics],
    "MAX_FOREST_ROWS": [relevance],
    "MAX_NUMBERS": [boosted_fit, radial_fit],
    "MAX_ONE_HOT": [preprocessing],
    "MOST_NEAR": [copies],
    "PART_NUMBERS": [numpy_engine],
    "PRIOR_ROWS": [relevance],
    "READ_NUMBERS": [compiled_engine],
    "SAMPLE_NUMBERS": [statistics],
    "SAMPLE_ROWS": [statistics],
}


def set_limits(monkeypatch, **limits):
    """Give these limits other values until the test ends."""
    for name, value in limits.items():
        for module in HOLDERS[name]:
            monkeypatch.setattr(module, name, value)
