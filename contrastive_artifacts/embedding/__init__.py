"""Embeddings: any input window by window, the table they are stored in, and the encoder that users load."""

from .context import ContextEmbedder as ContextEmbedder
from .embedder import Embedder as Embedder
from .embedder import Embedding as Embedding
from .embedder import Input as Input
from .embedder import WindowEmbedder as WindowEmbedder
from .figures import FigureEmbedder as FigureEmbedder
from .opening import RELEASE as RELEASE
from .opening import copy_encoder as copy_encoder
from .opening import encoder_folder as encoder_folder
from .opening import open_embedder as open_embedder
from .opening import open_encoder as open_encoder
from .opening import open_set_encoder as open_set_encoder
from .opening import released as released
from .opening import save_corrected as save_corrected
from .pretrained import Classification as Classification
from .pretrained import PretrainedEncoder as PretrainedEncoder
from .pretrained import load as load
from .set_onnx import sets_to_onnx as sets_to_onnx
