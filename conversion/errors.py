"""The errors of the conversion: each one is a single line that says what, where and what to do next."""


class ConversionError(Exception):
    """Anything that stops a conversion and that its user can mend; the command line exits with 2."""


class ModelFormatError(ConversionError):
    """A weights, TFLite or kmodel file that is damaged or is not what it claims to be."""


class UnsupportedModelError(ConversionError):
    """A sound file of a network, operator or format that this project does not convert."""


class KpuMemoryError(ConversionError):
    """Feature maps that do not fit the 2 MiB of KPU RAM, or a kmodel that overwrites there what it still needs."""


class SizeError(ConversionError):
    """A picture size that the KPU or the network's stride does not allow."""


class WeightsNotFoundError(ConversionError):
    """The weights were found neither on disk nor anywhere they can be fetched from."""


class PhotoError(ConversionError):
    """A photo, or a folder of photos, that cannot be read."""


class RoundingError(ConversionError):
    """A shipped rounding that is asked for and that there is not, or that is damaged."""


class CompilerError(ConversionError):
    """nncase refused, crashed, or gave something other than one K210 function of convolutions."""


class OutputError(ConversionError):
    """A result that cannot be written: no permission, no space, or something in its place."""


class ProofError(ConversionError):
    """Two computations that must agree do not: nothing is written; the command line exits with 1."""
