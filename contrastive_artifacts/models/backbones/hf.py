"""Audio encoders of the transformers library, by their name on the Hugging Face hub or from a folder."""

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
from .spec import Checkpoint, HubModel, State
from .spectrogram_transformer import AST, BANDS, DEVIATION, MEAN, STRIDE

Config = Mapping[str, Any]


class Kind(NamedTuple):
    """Functions for one ``model_type``."""

    build: Callable[[Config, Config], Backbone]  # config.json, preprocessor_config.json -> architecture
    rename: Callable[[State, Config], State]  # published tensors -> tensors of this package


def _library(model: str, module: str, backbone: Callable[[Any, Config], Backbone], prefixes: tuple[str, ...]) -> Kind:
    """A class of the library in a backbone; in files of larger models its tensors have one of ``prefixes``."""

    def build_network(config: Config, preprocessor: Config) -> Backbone:
        network = getattr(huggingface.transformers(f".models.{module}"), model)(_configuration(config))
        network._parameters.pop("masked_spec_embed", None)  # for pretraining; some models always create it
        return backbone(network, preprocessor)

    return Kind(build_network, lambda state, config: hf_convert.rename(state, prefixes))


def _waveform(model: str, name: str, module: str = "") -> Kind:
    return _library(model, module or f"{name}.modeling_{name}", WaveformBackbone, (f"{name}.",))


def _ast(config: Config, preprocessor: Config) -> Backbone:
    sizes = _configuration(config)
    given = (sizes.patch_size, sizes.frequency_stride, sizes.num_mel_bins, sizes.intermediate_size, sizes.hidden_act)
    supported = (PATCH, sizes.time_stride, BANDS, 4 * sizes.hidden_size, "gelu")
    if given != supported or not sizes.qkv_bias:
        raise ParameterError(
            f"An AST with patch, stride, bands, width and activation {given} is not known here; only {supported} is."
        )
    normalize = preprocessor.get("do_normalize", True)
    return AST(
        sizes.max_length,
        sizes.time_stride,
        preprocessor.get("mean", MEAN) if normalize else 0.0,
        preprocessor.get("std", DEVIATION) if normalize else 0.5,
        depth=sizes.num_hidden_layers,
        dim=sizes.hidden_size,
        heads=sizes.num_attention_heads,
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
# Keys that name the origin of a configuration or code to run; they do not define the architecture.
_IGNORED = (
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
        ParameterError: its type is not one of ``KINDS``.
    """
    model_type = config.get("model_type")
    if model_type not in KINDS:
        code = " It comes with its own code, which backbone=hf never runs." if "auto_map" in config else ""
        raise ParameterError(f"model_type={model_type!r} is none of {', '.join(KINDS)}.{code}")
    return KINDS[model_type]


def build(config: Config, preprocessor: Config | None = None) -> Backbone:
    """The architecture of a ``config.json`` with random weights.

    Args:
        config: The content of ``config.json``.
        preprocessor: The content of ``preprocessor_config.json``.

    Raises:
        ParameterError: transformers cannot build it, or its type is not one of ``KINDS``.
    """
    kind, preprocessor = kind_of(config), preprocessor or {}
    if preprocessor.get("sampling_rate", 16000) != 16000:
        raise ParameterError(f"Only models at 16000 Hz are known here, not {preprocessor['sampling_rate']} Hz.")
    try:
        return kind.build(config, preprocessor)
    except (StrictDataclassError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise ParameterError(f"transformers cannot build this configuration: {error}") from error


def architecture_of(config: Config) -> dict[str, Any]:
    """The part of a ``config.json`` that defines the architecture."""
    return {key: value for key, value in config.items() if key not in _IGNORED and not key.startswith("_")}


def _configuration(config: Config) -> Any:
    """The configuration object of the library, without dropout."""
    plain = architecture_of(config)
    configuration = huggingface.transformers().CONFIG_MAPPING[plain.pop("model_type")].from_dict(plain)
    if "add_adapter" in plain:  # layers that reduce the number of frames for a language model
        configuration.add_adapter = False
    return huggingface.rest(configuration)


def find(weights: str | Path, cache: Path | None, options: Mapping[str, Any]) -> HubModel:
    """The configuration and the tensors of ``options["id"]``, or of the folder ``weights``.

    Args:
        weights: "auto": from the hub or its cache. "none": the architecture only; without an id, that of
            wav2vec 2.0 base. Otherwise a folder with ``config.json`` and ``model.safetensors``.
        cache: Folder for downloads; ``None`` for the cache of huggingface_hub.
        options: ``id`` and ``revision`` (a commit, for reproducible results); all others are passed on.

    Raises:
        WeightsError: a file is missing, damaged or could not be downloaded, or the model is not a known audio encoder.
    """
    further = {key: value for key, value in options.items() if key not in ("id", "revision")}
    repository = repository_of(weights, cache, options)
    if repository is None:
        return HubModel({"config": {"model_type": "wav2vec2"}, **further}, None, "none", None, None)
    config = repository.config()
    try:
        kind = kind_of(config)
    except ParameterError as error:
        raise WeightsError(f"{repository.where} is not a model for backbone=hf: {error}") from error
    preprocessor = repository.json("preprocessor_config.json") or {}
    built_from = {
        "config": architecture_of(config),
        "preprocessor": {key: preprocessor[key] for key in _PREPROCESSING if key in preprocessor},
        **further,
    }
    if weights == "none":
        return HubModel(built_from, None, "none", None, None)
    state, sha256 = repository.state()
    return HubModel(built_from, kind.rename(state, config), repository.label, sha256, repository.stated)


_PREPROCESSING = ("sampling_rate", "do_normalize", "mean", "std")


def repository_of(weights: str | Path, cache: Path | None, options: Mapping[str, Any]) -> Repository | None:
    """The repository or folder of a model; ``None`` for random weights without an id.

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
                "Name a model: backbone.id=facebook/wav2vec2-base, or backbone.weights=FOLDER with its files."
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
