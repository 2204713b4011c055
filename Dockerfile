# Scan and explore on the CPU; see docs/docker.md.
FROM python:3.12-slim

# The CPU build of PyTorch: the one on PyPI brings several GB of CUDA.
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu "torch>=2.11,<2.14" "torchaudio>=2.11,<2.12"

WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY contrastive_artifacts contrastive_artifacts
COPY scripts scripts
COPY analysis analysis
COPY configs configs
RUN pip install --no-cache-dir ".[serve]" && rm -rf /src

# Whoever runs it with `-u` has no account and no home inside: the cache is everybody's, the name is given.
RUN useradd --no-create-home --uid 1000 listener && mkdir /data && mkdir --mode 1777 /cache
USER listener
ENV CONTRASTIVE_ARTIFACTS_CACHE=/cache HF_HOME=/cache/huggingface HOME=/tmp LOGNAME=listener
WORKDIR /data
EXPOSE 8078
ENTRYPOINT ["contrastive-artifacts"]
CMD ["--help"]
