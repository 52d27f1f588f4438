internal import CKernels
internal import Graph
internal import IngotCore
internal import Quantization

/// A graph made ready to run: steps that name kernels and addresses, one block of memory for what passes between
/// them, and the weights they read.
///
/// Running a plan allocates nothing: only the sizes of named dims change from forward to forward.
struct Plan {
  /// An input or output of the graph.
  struct Port {
    let name: String
    let type: TensorType
    /// Extents, to be evaluated for a forward.
    let extents: [Extent]
    /// Where the elements are: floats as f32, integers and bool as their own type.
    var address: UnsafeMutableRawPointer
    /// Elements there is room for.
    let capacity: Int
  }

  var steps: [Step] = []
  /// Which part of the model each step belongs to; may be shorter.
  var names: [StepName] = []
  var inputs: [Port] = []
  var outputs: [Port] = []
  /// Keeps alive what the steps point to.
  var retained: [AnyObject] = []
  /// Bytes of activations, and of scratch memory shared by all steps.
  var workspaceBytes = 0
  /// Bytes of packed weights, f32 vectors and tables, in memory of our own or mapped from `packedFolder`.
  var weightBytes = 0
}

/// One kernel call.
enum Step {
  case embedding(EmbeddingStep)
  case matmul(MatmulStep)
  case gemm(GemmStep)
  case norm(NormStep)
  case rope(RopeStep)
  case attention(AttentionStep)
  case unary(ingot_unary, from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, count: Extents)
  case logicalNot(from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, count: Extents)
  case binary(BinaryStep)
  case gated(GatedStep)
  case softmax(from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, rows: Extents, width: Extent)
  case reduce(ingot_reduction, from: UnsafePointer<Float>, to: UnsafeMutablePointer<Float>, ReduceExtents)
  case copy(CopyStep)
  case gatherRows(GatherStep)
  case sort(SortStep)
  case convert(ConvertStep)
}

/// A product of extents.
struct Extents {
  var factors: [Extent]
  func product(_ sizes: Sizes) -> Int { factors.reduce(1) { $0 * $1.value(sizes) } }
}

struct ReduceExtents {
  var outer: Extents
  var axis: Extent
  var inner: Extents
}

struct EmbeddingStep {
  var kind: ingot_table
  var block: Int32
  var table: UnsafeRawPointer
  var rowBytes: Int
  var width: Int
  var rowCount: Int
  var ids: UnsafePointer<Int64>
  var count: Extent
  var y: UnsafeMutablePointer<Float>
}

struct MatmulStep {
  var arguments: ingot_matmul_arguments
  var rows: Extent
}

struct GemmStep {
  var arguments: ingot_gemm_arguments
  var batch: [Extent]
  var m: Extent
  var n: Extent
  var k: Extent
  var transposeA: Bool
  var transposeB: Bool
  /// Which batch axes each operand has, as 1 (own) or 0 (broadcast).
  var aHas: [Int]
  var bHas: [Int]
}

struct NormStep {
  var arguments: ingot_norm_arguments
  var isLayerNorm: Bool
  /// Rows of the outer level, `x_stride` and `y_stride` apart; each has `heads` of its own.
  var rows: Extent
  /// Rows within each of them.
  var heads: Int { max(1, Int(arguments.heads)) }
}

struct RopeStep {
  var arguments: ingot_rope_arguments
  var tokens: Extent
  /// Index of the table's name in the runtime's list.
  var table: Int
}

/// What is done to the heads of queries or keys before they meet.
struct HeadSteps {
  var norm: NormStep?
  var rope: RopeStep?
}

struct AttentionStep {
  var queries = HeadSteps()
  var keys = HeadSteps()
  var cache: ingot_cache_arguments
  var arguments: ingot_attention_arguments
  var tokens: Extent
  /// The layer whose pages hold the cache; nil: pages of the plan's own.
  var layer: Int?
}

struct BinaryStep {
  var function: ingot_binary
  var a: UnsafePointer<Float>
  var b: UnsafePointer<Float>
  var y: UnsafeMutablePointer<Float>
  var dims: [Extent]
  var aHas: [Bool]
  var bHas: [Bool]
}

struct GatedStep {
  var activation: ingot_unary
  var rows: Extents
  var width: Int
  var gate: UnsafePointer<Float>
  var gateStride: Int
  var up: UnsafePointer<Float>
  var upStride: Int
  var y: UnsafeMutablePointer<Float>
}

/// Copies a view of x, laid out by `xDims` and `xOrder`, to y.
struct CopyStep {
  var elementBytes: Int32
  var x: UnsafeRawPointer
  var y: UnsafeMutableRawPointer
  /// Extents of the copy.
  var dims: [Extent]
  /// Per dim: x's stride as a factor times a product of extents, and y's likewise.
  var xStrides: [StrideExtent]
  var yStrides: [StrideExtent]
  /// Elements to skip at the start of x and y.
  var xOffset: StrideExtent
  var yOffset: StrideExtent
}

/// factor · Π extents, in elements.
struct StrideExtent {
  var factor: Int
  var extents: [Extent] = []
  func value(_ sizes: Sizes) -> Int { extents.reduce(factor) { $0 * $1.value(sizes) } }
}

struct GatherStep {
  var elementBytes: Int
  var x: UnsafeRawPointer
  var indices: UnsafeRawPointer
  var indexIsWide: Bool
  var y: UnsafeMutableRawPointer
  var outer: Extents
  var axis: Extent
  var inner: Extents
  var count: Extents
}

struct SortStep {
  var x: UnsafePointer<Float>
  var values: UnsafeMutablePointer<Float>
  var indices: UnsafeMutablePointer<Int64>
  var rows: Extents
  var width: Extent
  var kept: Extent
  var descending: Bool
}

struct ConvertStep {
  var from: DType
  var to: DType
  var x: UnsafeRawPointer
  var y: UnsafeMutableRawPointer
  var count: Extents
}
