"""The opcodes of kmodel V4 as data: fields of each body, and which memory ranges are read and written.

Source: runtime_op.def and the *_ops_body.h files of nncase v0.2.0-beta4. kpu_conv2d's tables follow its fields, see
`conversion.inspection.kmodel_v4`.
"""

from __future__ import annotations

from typing import NamedTuple

from conversion.inspection.fields import Fields

KPU_UPLOAD, KPU_CONV2D = 0x2001, 0x2002
CONCAT, DEQUANTIZE, QUANTIZE = 0x1, 0x3, 0x6
FLOAT, BYTE = 4, 1

# A memory range: memory type, data type, start and size in bytes.
_RANGE = "4I"
_IN_OUT: Fields = (("input", _RANGE), ("output", _RANGE))
_TWO_IN: Fields = (("input_a", _RANGE), ("input_b", _RANGE), ("output", _RANGE))
_SHAPE = ("in_shape", "4i")
_FILTER: Fields = (
    ("padding_h", "2i"), ("padding_w", "2i"), ("filter", "2i"), ("stride", "2i"), ("dilation", "2i"),
)  # fmt: skip
_CLAMP = ("fused_activation", "2f")
_REQUANTISE: Fields = (
    ("input_offset", "i"), ("filter_offset", "i"), ("output_mul", "i"), ("output_shift", "i"), ("output_offset", "i"),
)  # fmt: skip
_TERMS: Fields = tuple(
    (f"{which}_{part}", "i") for which in ("a", "b", "output") for part in ("offset", "mul", "shift")
)
_BINARY: Fields = (*_TWO_IN, ("op", "I"), ("in_a_shape", "4i"), ("in_b_shape", "4i"), ("out_shape", "4i"))
_MATRICES: Fields = (*_TWO_IN, ("a_rows", "i"), ("a_cols", "i"), ("b_cols", "i"))
_GROUPED: Fields = (*_IN_OUT, _SHAPE, ("groups", "i"), ("out_channels", "i"), *_FILTER)
_WINDOW: Fields = (*_IN_OUT, ("op", "I"), _SHAPE, *_FILTER, ("init_value", "f"), _CLAMP)
_PARAMETER = ("zero_point", "i"), ("inverse_scale", "f")

BINARY_OPS = ("add", "sub", "mul", "div", "min", "max")
UNARY_OPS = ("abs", "ceil", "cos", "exp", "floor", "log", "neg", "rsqrt", "sin", "square")
REDUCE_OPS = ("mean", "min", "max", "sum")


class Opcode(NamedTuple):
    """Name, fields, and the fields that are ranges read and written.

    `weight_bytes` is the size of one weight of a convolution (its biases have 4 bytes), 0 for other operators;
    `order` is how its in_shape is laid out; `depthwise` ones have no out_channels; `ops` names the values of `op`.
    """

    name: str
    fields: Fields
    reads: tuple[str, ...] = ("input",)
    writes: tuple[str, ...] = ("output",)
    weight_bytes: int = 0
    order: str = "NCHW"
    depthwise: bool = False
    ops: tuple[str, ...] = ()


_PAIR = ("input_a", "input_b")

OPCODES = {
    0x0: Opcode("binary", (*_BINARY, _CLAMP), _PAIR, ops=BINARY_OPS),
    CONCAT: Opcode("concat", (("output", _RANGE), ("inner_size", "I"), ("outer_size", "I"), ("inputs_count", "I")), ()),
    0x2: Opcode("conv2d", (*_GROUPED, _CLAMP), weight_bytes=FLOAT),
    DEQUANTIZE: Opcode("dequantize", (*_IN_OUT, *_PARAMETER)),
    0x4: Opcode("matmul", (*_MATRICES, _CLAMP), _PAIR),
    0x5: Opcode("pad", (*_IN_OUT, _SHAPE, ("paddings", "8i"), ("pad_type", "I"), ("pad_value", "I"))),
    QUANTIZE: Opcode("quantize", (*_IN_OUT, *_PARAMETER)),
    0x7: Opcode("reduce", (*_IN_OUT, ("op", "I"), _SHAPE, ("out_shape", "4i"), ("init_value", "f")), ops=REDUCE_OPS),
    0x8: Opcode("reduce_window2d", _WINDOW, ops=REDUCE_OPS),
    0x9: Opcode("memory_copy", _IN_OUT),
    0xA: Opcode("resize_image", (*_IN_OUT, _SHAPE, ("out_size", "2i"), ("mode", "I"), ("align_corners", "?3x"))),
    0xB: Opcode("softmax", (*_IN_OUT, ("inner_size", "i"), ("outer_size", "i"), ("beta", "f"))),
    0xC: Opcode("transpose", (*_IN_OUT, _SHAPE, ("perm", "4i"))),
    0xD: Opcode(
        "strided_slice", (*_IN_OUT, _SHAPE, ("begin", "4i"), ("end", "4i"), ("strides", "4i"), ("masks", "5i"))
    ),
    0xE: Opcode("unary", (*_IN_OUT, ("op", "I")), ops=UNARY_OPS),
    0xF: Opcode("quantized_conv2d", (*_GROUPED, *_REQUANTISE), weight_bytes=BYTE),
    0x10: Opcode("quantized_matmul", (*_MATRICES, ("offsets", "2i"), ("output_scaling", "3i")), _PAIR),
    0x11: Opcode("quantized_binary", (*_BINARY, *_TERMS), _PAIR, ops=BINARY_OPS),
    0x12: Opcode("table_lookup1d", (("input", _RANGE), ("table", _RANGE), ("output", _RANGE)), ("input", "table")),
    0x13: Opcode("conv2d_transpose", (*_IN_OUT, _SHAPE, ("out_shape", "4i"), ("groups", "i"), *_FILTER, _CLAMP)),
    0x14: Opcode("nnil_unary_method", _IN_OUT),
    0x1001: Opcode(
        "cpu_conv2d", (*_IN_OUT, _SHAPE, ("out_channels", "i"), *_FILTER, _CLAMP), weight_bytes=FLOAT, order="NHWC"
    ),
    0x1002: Opcode(
        "cpu_depthwise_conv2d", (*_IN_OUT, _SHAPE, *_FILTER, _CLAMP), weight_bytes=FLOAT, order="NHWC", depthwise=True
    ),
    0x1003: Opcode("cpu_reduce_window2d", _WINDOW, order="NHWC", ops=REDUCE_OPS),
    0x1004: Opcode(
        "cpu_quantized_conv2d", (*_IN_OUT, _SHAPE, ("out_channels", "i"), *_FILTER, *_REQUANTISE),
        weight_bytes=BYTE, order="NHWC",
    ),
    0x1005: Opcode(
        "cpu_quantized_depthwise_conv2d", (*_IN_OUT, _SHAPE, *_FILTER, *_REQUANTISE),
        weight_bytes=BYTE, order="NHWC", depthwise=True,
    ),
    KPU_UPLOAD: Opcode("kpu_upload", (*_IN_OUT, _SHAPE)),
    KPU_CONV2D: Opcode("kpu_conv2d", (("main_mem_output", _RANGE), ("batches", "i"), ("reserved", "i")), (), ()),
}  # fmt: skip

# Operators that compute in floats, on the CPU, where an unquantised network does.
FLOATS = frozenset({"conv2d", "matmul", "conv2d_transpose", "cpu_conv2d", "cpu_depthwise_conv2d"})
