"""What one inference of a bundle takes: instructions, cycles and time, layer by layer."""

from tinyflow.profile.figures import LayerFigures, Profile
from tinyflow.profile.measure import profile_bundle
from tinyflow.profile.timed import Timed, time_bundle

__all__ = ["LayerFigures", "Profile", "Timed", "profile_bundle", "time_bundle"]
