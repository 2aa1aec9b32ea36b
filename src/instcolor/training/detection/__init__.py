"""The stage that trains the detector: samples with boxes, which cell learns which object, losses."""
