"""Networks: front-ends, detail and slow figures, backbones, encoder, context module, objectives."""
