# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 typing_extensions==4.16.0 diskcache==5.6.3 jinja2==3.1.6
"""llama.cpp's logits, by the Python binding in llama-cpp-python's source and libraries built from it."""

import ctypes
import os
import sys

import numpy as np


class LlamaLogits:
    def __init__(self, source, binaries, path, threads):
        os.environ["LLAMA_CPP_LIB_PATH"] = str(binaries)
        sys.path.insert(0, str(source))
        import llama_cpp

        self.lib, self.threads = llama_cpp, threads
        self.quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.quiet, None)
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            raise RuntimeError(f"llama.cpp does not open {path}")
        self.size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))

    def logits(self, ids, flash=False, half_cache=True):
        """Logits of all positions, float32 [T, V]."""
        lib, count = self.lib, len(ids)
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = count
        parameters.type_k = parameters.type_v = 1 if half_cache else 0  # GGML_TYPE_F16, GGML_TYPE_F32
        parameters.flash_attn_type = int(flash)
        parameters.n_threads = parameters.n_threads_batch = self.threads
        context = lib.llama_init_from_model(self.model, parameters)
        batch = lib.llama_batch_init(count, 0, 1)
        batch.n_tokens = count
        for i, token in enumerate(ids):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = int(token), i, 1
            batch.seq_id[i][0], batch.logits[i] = 0, 1
        status = lib.llama_decode(context, batch)
        if status != 0:
            raise RuntimeError(f"llama_decode gave {status}")
        rows = np.ctypeslib.as_array(ctypes.cast(lib.llama_get_logits(context), ctypes.POINTER(ctypes.c_float)),
                                     (count, self.size)).copy()
        lib.llama_batch_free(batch)
        lib.llama_free(context)
        return rows
