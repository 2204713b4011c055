"""Any audio encoder that the transformers library knows, by its name on the Hugging Face hub or from a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub.errors import StrictDataclassError

from ...core.errors import ParameterError, WeightsError
from . import hf_convert, huggingface, spectrogram_transformer_convert
from .contract import Backbone
from .distilled_vit import PATCH
from .hf_models import WaveformBackbone, WhisperBackbone
from .repository import Repository
from .spec import Checkpoint, Found, State
from .spectrogram_transformer import AST, BANDS, DEVIATION, MEAN, STRIDE

Config = Mapping[str, Any]


class Kind(NamedTuple):
    """How one ``model_type`` is built, from config and preprocessor, and how its published tensors are renamed."""

    build: Callable[[Config, Config], Backbone]
    rename: Callable[[State, Config], State]


def _library(model: str, module: str, backbone: Callable[[Any, Config], Backbone], prefixes: tuple[str, ...]) -> Kind:
    """A class of the library in a backbone around it; in files of larger models it lies below one of ``prefixes``."""

    def build_network(config: Config, preprocessor: Config) -> Backbone:
        made = _configuration(config)
        network = getattr(huggingface.transformers(f".models.{module}"), model)(made)
        network._parameters.pop("masked_spec_embed", None)  # for pretraining; some models make it unasked
        return backbone(network, preprocessor)

    return Kind(build_network, lambda state, config: hf_convert.rename(state, prefixes))


def _waveform(model: str, name: str, module: str = "") -> Kind:
    return _library(model, module or f"{name}.modeling_{name}", WaveformBackbone, (f"{name}.",))


def _ast(config: Config, preprocessor: Config) -> Backbone:
    made = _configuration(config)
    usual = (made.patch_size, made.frequency_stride, made.num_mel_bins, made.intermediate_size, made.hidden_act)
    ours = (PATCH, made.time_stride, BANDS, 4 * made.hidden_size, "gelu")
    if usual != ours or not made.qkv_bias:
        raise ParameterError(f"An AST of patch, stride, bands, width and activation {usual} is not known here: {ours}.")
    normalize = preprocessor.get("do_normalize", True)
    return AST(
        made.max_length,
        made.time_stride,
        preprocessor.get("mean", MEAN) if normalize else 0.0,
        preprocessor.get("std", DEVIATION) if normalize else 0.5,
        depth=made.num_hidden_layers,
        dim=made.hidden_size,
        heads=made.num_attention_heads,
    )


def _rename_ast(state: State, config: Config) -> State:
    rows = (BANDS - PATCH) // config.get("frequency_stride", STRIDE) + 1
    return spectrogram_transformer_convert.rename(state, rows)[0]


KINDS: dict[str, Kind] = {
    "wav2vec2": _waveform("Wav2Vec2Model", "wav2vec2"),
    "hubert": _waveform("HubertModel", "hubert"),
    "wavlm": _waveform("WavLMModel", "wavlm"),
    "unispeech": _waveform("UniSpeechModel", "unispeech"),
    "unispeech-sat": _waveform("UniSpeechSatModel", "unispeech_sat"),
    "data2vec-audio": _waveform("Data2VecAudioModel", "data2vec_audio", "data2vec.modeling_data2vec_audio"),
    "whisper": _library("WhisperEncoder", "whisper.modeling_whisper", WhisperBackbone, ("model.encoder.", "encoder.")),
    "audio-spectrogram-transformer": Kind(_ast, _rename_ast),
}
# Says where a configuration comes from or names code that would be run; neither makes the architecture.
_APART = (
    "auto_map",
    "architectures",
    "transformers_version",
    "torch_dtype",
    "dtype",
    "quantization_config",
    "attn_implementation",
)


def kind_of(config: Config) -> Kind:
    """The kind of a configuration.

    Raises:
        ParameterError: of another type than those known here.
    """
    model_type = config.get("model_type")
    if model_type not in KINDS:
        code = " It brings its own code, which backbone=hf never runs." if "auto_map" in config else ""
        raise ParameterError(f"model_type={model_type!r} is none of {', '.join(KINDS)}.{code}")
    return KINDS[model_type]


def build(config: Config, preprocessor: Config | None = None) -> Backbone:
    """The architecture of a ``config.json`` with random weights.

    Args:
        config: The content of ``config.json``.
        preprocessor: The content of ``preprocessor_config.json``.

    Raises:
        ParameterError: transformers cannot build it, or it is of a type that is not known here.
    """
    kind, preprocessor = kind_of(config), preprocessor or {}
    if preprocessor.get("sampling_rate", 16000) != 16000:
        raise ParameterError(f"Only models at 16000 Hz are known here, not {preprocessor['sampling_rate']} Hz.")
    try:
        return kind.build(config, preprocessor)
    except (StrictDataclassError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise ParameterError(f"transformers cannot build this configuration: {error}") from error


def own(config: Config) -> dict[str, Any]:
    """What a ``config.json`` says of the architecture alone."""
    return {key: value for key, value in config.items() if key not in _APART and not key.startswith("_")}


def _configuration(config: Config) -> Any:
    """The library's configuration object, nothing random in it."""
    plain = own(config)
    made = huggingface.transformers().CONFIG_MAPPING[plain.pop("model_type")].from_dict(plain)
    if "add_adapter" in plain:  # it would shorten the frames for a language model on top
        made.add_adapter = False
    return huggingface.rest(made)


def find(weights: str | Path, cache: Path | None, options: Mapping[str, Any]) -> Found:
    """The configuration and the tensors of ``options["id"]``, or of the folder ``weights``.

    Args:
        weights: "auto": from the hub or its cache. "none": the architecture only; without an id, that of
            wav2vec 2.0 base. Otherwise a folder with ``config.json`` and ``model.safetensors``.
        cache: Folder for downloads; ``None`` for the hub's own cache.
        options: ``id`` and ``revision`` (a commit, for results that can be had again); any others are handed on.

    Raises:
        WeightsError: a file is missing, damaged or not to be had, or the model is not an audio encoder known here.
    """
    further = {key: value for key, value in options.items() if key not in ("id", "revision")}
    repository = repository_of(weights, cache, options)
    if repository is None:
        return Found({"config": {"model_type": "wav2vec2"}, **further}, None, "none", None, None)
    config = repository.config()
    try:
        kind = kind_of(config)
    except ParameterError as error:
        raise WeightsError(f"{repository.where} is not a model for backbone=hf: {error}") from error
    preprocessor = repository.json("preprocessor_config.json") or {}
    made = {
        "config": own(config),
        "preprocessor": {key: preprocessor[key] for key in _PREPROCESSING if key in preprocessor},
        **further,
    }
    if weights == "none":
        return Found(made, None, "none", None, None)
    state, sha256 = repository.state()
    return Found(made, kind.rename(state, config), repository.label, sha256, repository.stated)


_PREPROCESSING = ("sampling_rate", "do_normalize", "mean", "std")


def repository_of(weights: str | Path, cache: Path | None, options: Mapping[str, Any]) -> Repository | None:
    """Where the files lie; ``None`` for an architecture from scratch without an id.

    Raises:
        WeightsError: neither an id nor a folder is given, or there is no such folder.
    """
    name = options.get("id")
    if str(weights) not in ("auto", "none"):
        folder = Path(weights) if Path(weights).is_dir() else Path(weights).parent
        if not (folder / "config.json").is_file():
            raise WeightsError(f"There is no config.json in {folder}; give the folder of a saved transformers model.")
        return Repository(str(folder))
    if name is None:
        if weights == "auto":
            raise WeightsError(
                "Say which model: backbone.id=facebook/wav2vec2-base, or backbone.weights=FOLDER with its files."
            )
        return None
    return Repository(str(name), str(options.get("revision") or "main"), cache)


CHECKPOINTS = (
    Checkpoint(
        name="hf",
        build=build,
        find=find,
        sources=(),
        options={"config": {"model_type": "wav2vec2"}},
        licence="as each repository says",
        code_licence="Apache-2.0",
        origin="Hugging Face hub, models of the transformers library",
        paper="https://arxiv.org/abs/1910.03771",
        published={},
    ),
)
