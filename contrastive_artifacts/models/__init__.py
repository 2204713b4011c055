"""Networks: front-ends, figures of the waveform, backbones, the encoder around them, objectives."""
