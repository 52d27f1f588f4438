/// The part of ONNX Runtime's function table that Ingot uses. Declarations only: the library is loaded with dlopen.
#ifndef INGOT_ONNX_RUNTIME_H
#define INGOT_ONNX_RUNTIME_H

#endif
