"""Parameters and multiplications of the published models, counted from their architectures."""

from __future__ import annotations

PARAMETERS = {
    "tinynext_t": 1_029_208,
    "tinynext_s": 1_311_928,
    "tinynext_m": 2_328_120,
    "edgenext_xxs": 1_327_216,
    "edgenext_xs": 2_336_804,
    "edgenext_s": 5_586_832,
    "edgenext_b": 18_511_292,
    "edgenext_xxs_bn_hs": 1_326_184,
    "edgenext_xs_bn_hs": 2_335_008,
    "edgenext_s_bn_hs": 5_584_000,
    "nextvit_s": 31_763_368,
    "nextvit_b": 44_818_856,
    "nextvit_l": 57_874_344,
    "tinynext_s_ssdlite": 2_266_116,
    "tinynext_m_ssdlite": 3_285_636,
    "edgenext_s_ssdlite": 6_551_100,
    "tinynext_s_deeplabv3": 5_501_541,
    "tinynext_m_deeplabv3": 6_928_741,
}
MACS = {
    "tinynext_t": 252_598_464,
    "tinynext_s": 296_693_376,
    "tinynext_m": 466_484_480,
    "edgenext_xxs": 257_905_088,
    "edgenext_xs": 533_192_192,
    "edgenext_s": 1_253_234_816,
    "edgenext_b": 3_828_296_384,
    "nextvit_s": 5_794_420_224,
    "nextvit_b": 8_273_817_088,
    "nextvit_l": 10_753_213_952,
}
