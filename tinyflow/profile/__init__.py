"""What one inference of a bundle takes: instructions, cycles and time, layer by layer."""

from tinyflow.profile.figures import LayerFigures, Profile
from tinyflow.profile.measure import profile_bundle

__all__ = ["LayerFigures", "Profile", "profile_bundle"]
