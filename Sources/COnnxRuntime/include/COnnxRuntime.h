/// The part of ONNX Runtime's C function table that Ingot uses. It is only declared: the library is loaded with dlopen,
/// and the wheels that carry it have no header.
///
/// The table is append-only: a function keeps its place from the release that brought it on. The places follow
/// `csharp/src/Microsoft.ML.OnnxRuntime/NativeMethods.shared.cs` of microsoft/onnxruntime; `unused_N` are functions we
/// do not call, and the assertions below hold the places of those we do.
#ifndef INGOT_ONNX_RUNTIME_H
#define INGOT_ONNX_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

typedef struct OrtStatus OrtStatus;
typedef struct OrtEnv OrtEnv;
typedef struct OrtThreadingOptions OrtThreadingOptions;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtValue OrtValue;
typedef struct OrtIoBinding OrtIoBinding;

typedef struct OrtApi {
  void *unused_0;
  int (*GetErrorCode)(const OrtStatus *);
  const char *(*GetErrorMessage)(const OrtStatus *);
  void *unused_3[4];
  OrtStatus *(*CreateSession)(const OrtEnv *, const char *path, const OrtSessionOptions *, OrtSession **);
  OrtStatus *(*CreateSessionFromArray)(const OrtEnv *, const void *bytes, size_t count, const OrtSessionOptions *,
                                       OrtSession **);
  OrtStatus *(*Run)(OrtSession *, const OrtRunOptions *, const char *const *input_names,
                    const OrtValue *const *inputs, size_t input_count, const char *const *output_names,
                    size_t output_count, OrtValue **outputs);
  OrtStatus *(*CreateSessionOptions)(OrtSessionOptions **);
  void *unused_11[5];
  OrtStatus *(*EnableMemPattern)(OrtSessionOptions *);
  OrtStatus *(*DisableMemPattern)(OrtSessionOptions *);
  OrtStatus *(*EnableCpuMemArena)(OrtSessionOptions *);
  OrtStatus *(*DisableCpuMemArena)(OrtSessionOptions *);
  void *unused_20[3];
  OrtStatus *(*SetSessionGraphOptimizationLevel)(OrtSessionOptions *, int level);
  OrtStatus *(*SetIntraOpNumThreads)(OrtSessionOptions *, int threads);
  OrtStatus *(*SetInterOpNumThreads)(OrtSessionOptions *, int threads);
  void *unused_26[4];
  OrtStatus *(*SessionGetInputCount)(const OrtSession *, size_t *);
  OrtStatus *(*SessionGetOutputCount)(const OrtSession *, size_t *);
  void *unused_32;
  OrtStatus *(*SessionGetInputTypeInfo)(const OrtSession *, size_t index, OrtTypeInfo **);
  OrtStatus *(*SessionGetOutputTypeInfo)(const OrtSession *, size_t index, OrtTypeInfo **);
  void *unused_35;
  OrtStatus *(*SessionGetInputName)(const OrtSession *, size_t index, OrtAllocator *, char **);
  OrtStatus *(*SessionGetOutputName)(const OrtSession *, size_t index, OrtAllocator *, char **);
  void *unused_38[11];
  OrtStatus *(*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo *, void *data, size_t bytes, const int64_t *dims,
                                               size_t rank, int type, OrtValue **);
  OrtStatus *(*IsTensor)(const OrtValue *, int *);
  OrtStatus *(*GetTensorMutableData)(OrtValue *, void **);
  void *unused_52[3];
  /// Null for what is no tensor; the result belongs to its argument.
  OrtStatus *(*CastTypeInfoToTensorInfo)(const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **);
  void *unused_56[4];
  OrtStatus *(*GetTensorElementType)(const OrtTensorTypeAndShapeInfo *, int *);
  OrtStatus *(*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo *, size_t *);
  OrtStatus *(*GetDimensions)(const OrtTensorTypeAndShapeInfo *, int64_t *dims, size_t rank);
  OrtStatus *(*GetSymbolicDimensions)(const OrtTensorTypeAndShapeInfo *, const char **names, size_t rank);
  void *unused_64;
  OrtStatus *(*GetTensorTypeAndShape)(const OrtValue *, OrtTensorTypeAndShapeInfo **);
  void *unused_66[3];
  OrtStatus *(*CreateCpuMemoryInfo)(int allocator_type, int memory_type, OrtMemoryInfo **);
  void *unused_70[6];
  OrtStatus *(*AllocatorFree)(OrtAllocator *, void *);
  void *unused_77;
  OrtStatus *(*GetAllocatorWithDefaultOptions)(OrtAllocator **);
  void *unused_79[14];
  void (*ReleaseStatus)(OrtStatus *);
  void (*ReleaseMemoryInfo)(OrtMemoryInfo *);
  void (*ReleaseSession)(OrtSession *);
  void (*ReleaseValue)(OrtValue *);
  void *unused_97;
  void (*ReleaseTypeInfo)(OrtTypeInfo *);
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo *);
  void (*ReleaseSessionOptions)(OrtSessionOptions *);
  void *unused_101[18];
  OrtStatus *(*CreateEnvWithGlobalThreadPools)(int level, const char *id, const OrtThreadingOptions *, OrtEnv **);
  OrtStatus *(*DisablePerSessionThreads)(OrtSessionOptions *);
  OrtStatus *(*CreateThreadingOptions)(OrtThreadingOptions **);
  void (*ReleaseThreadingOptions)(OrtThreadingOptions *);
  void *unused_123[7];
  OrtStatus *(*AddSessionConfigEntry)(OrtSessionOptions *, const char *key, const char *value);
  void *unused_131[2];
  OrtStatus *(*RunWithBinding)(OrtSession *, const OrtRunOptions *, const OrtIoBinding *);
  OrtStatus *(*CreateIoBinding)(OrtSession *, OrtIoBinding **);
  void (*ReleaseIoBinding)(OrtIoBinding *);
  OrtStatus *(*BindInput)(OrtIoBinding *, const char *name, const OrtValue *);
  OrtStatus *(*BindOutput)(OrtIoBinding *, const char *name, const OrtValue *);
  OrtStatus *(*BindOutputToDevice)(OrtIoBinding *, const char *name, const OrtMemoryInfo *);
  OrtStatus *(*GetBoundOutputNames)(const OrtIoBinding *, OrtAllocator *, char **names, size_t **lengths,
                                    size_t *count);
  OrtStatus *(*GetBoundOutputValues)(const OrtIoBinding *, OrtAllocator *, OrtValue ***values, size_t *count);
  void *unused_141[6];
  OrtStatus *(*SetGlobalIntraOpNumThreads)(OrtThreadingOptions *, int threads);
  OrtStatus *(*SetGlobalInterOpNumThreads)(OrtThreadingOptions *, int threads);
} OrtApi;

/// What the library's one exported function, `OrtGetApiBase`, returns.
typedef struct OrtApiBase {
  const OrtApi *(*GetApi)(uint32_t version);
  const char *(*GetVersionString)(void);
} OrtApiBase;

typedef const OrtApiBase *(*OrtGetApiBaseFunction)(void);

/// The file that a symbol was loaded from, or null: Swift's Glibc does not see `dladdr`.
const char *ingot_file_of_symbol(const void *symbol);

#define INGOT_ORT_PLACE(function, index) \
  _Static_assert(offsetof(OrtApi, function) == (index) * sizeof(void *), #function " has another place in OrtApi")
INGOT_ORT_PLACE(GetErrorMessage, 2);
INGOT_ORT_PLACE(CreateSession, 7);
INGOT_ORT_PLACE(Run, 9);
INGOT_ORT_PLACE(EnableMemPattern, 16);
INGOT_ORT_PLACE(DisableCpuMemArena, 19);
INGOT_ORT_PLACE(SetSessionGraphOptimizationLevel, 23);
INGOT_ORT_PLACE(SetInterOpNumThreads, 25);
INGOT_ORT_PLACE(SessionGetInputCount, 30);
INGOT_ORT_PLACE(SessionGetInputTypeInfo, 33);
INGOT_ORT_PLACE(SessionGetOutputName, 37);
INGOT_ORT_PLACE(CreateTensorWithDataAsOrtValue, 49);
INGOT_ORT_PLACE(GetTensorMutableData, 51);
INGOT_ORT_PLACE(CastTypeInfoToTensorInfo, 55);
INGOT_ORT_PLACE(GetTensorElementType, 60);
INGOT_ORT_PLACE(GetSymbolicDimensions, 63);
INGOT_ORT_PLACE(GetTensorTypeAndShape, 65);
INGOT_ORT_PLACE(CreateCpuMemoryInfo, 69);
INGOT_ORT_PLACE(AllocatorFree, 76);
INGOT_ORT_PLACE(GetAllocatorWithDefaultOptions, 78);
INGOT_ORT_PLACE(ReleaseStatus, 93);
INGOT_ORT_PLACE(ReleaseValue, 96);
INGOT_ORT_PLACE(ReleaseSessionOptions, 100);
INGOT_ORT_PLACE(CreateEnvWithGlobalThreadPools, 119);
INGOT_ORT_PLACE(ReleaseThreadingOptions, 122);
INGOT_ORT_PLACE(AddSessionConfigEntry, 130);
INGOT_ORT_PLACE(RunWithBinding, 133);
INGOT_ORT_PLACE(BindOutputToDevice, 138);
INGOT_ORT_PLACE(GetBoundOutputValues, 140);
INGOT_ORT_PLACE(SetGlobalInterOpNumThreads, 148);

#endif
