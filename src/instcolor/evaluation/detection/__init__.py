"""How well detectors find objects on gray photographs."""
