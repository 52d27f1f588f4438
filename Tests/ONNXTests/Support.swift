import Checkpoints
import Foundation
import Graph
import IngotCore
import ONNX
import TestSupport
import Testing

/// A tensor to put into a checkpoint.
struct StoredTensor {
  var name: String
  var dims: [Int]
  var dtype: DType
  var floats: [Float]

  init(_ name: String, _ dims: [Int], _ dtype: DType = .f32, _ floats: [Float]) {
    (self.name, self.dims, self.dtype, self.floats) = (name, dims, dtype, floats)
  }

  init(_ name: String, _ dims: [Int], _ dtype: DType = .f32, seed: UInt64 = 1) {
    var random = SplitMix64(seed)
    self.init(name, dims, dtype, random.floats(dims.reduce(1, *), -2...2))
  }
}

/// The bytes of floats in a type, by definitions that share nothing with the writer's.
func encoded(_ floats: [Float], _ dtype: DType) -> [UInt8] {
  switch dtype {
  case .f16: return floats.map { Float16($0).bitPattern }.withUnsafeBytes { Array($0) }
  case .bf16:
    let halves = floats.map { float in
      let bits = float.bitPattern
      return UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    }
    return halves.withUnsafeBytes { Array($0) }
  default: return floats.withUnsafeBytes { Array($0) }
  }
}

/// The floats that bytes of a type hold.
func decoded(_ bytes: some Collection<UInt8>, _ dtype: DType) -> [Float] {
  Array(bytes).withUnsafeBytes { bytes in
    (0..<bytes.count / dtype.byteCount).map { index in
      switch dtype {
      case .f16: Float(bytes.loadUnaligned(fromByteOffset: 2 * index, as: Float16.self))
      case .bf16:
        Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)) << 16)
      default: bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
      }
    }
  }
}

/// [rows, columns] to [columns, rows].
func turned<T>(_ values: [T], _ rows: Int, _ columns: Int) -> [T] {
  (0..<rows * columns).map { values[$0 % rows * columns + $0 / rows] }
}

/// Opens a checkpoint that holds some tensors, which it writes into a folder.
func checkpoint(_ folder: Folder, _ tensors: [StoredTensor]) throws -> any Checkpoint {
  var header: [String] = []
  var data: [UInt8] = []
  for tensor in tensors {
    let bytes = encoded(tensor.floats, tensor.dtype)
    header.append(
      """
      "\(tensor.name)":{"dtype":"\(tensor.dtype.rawValue.uppercased())","shape":\(tensor.dims),\
      "data_offsets":[\(data.count),\(data.count + bytes.count)]}
      """)
    data += bytes
  }
  // An odd length: the data need no alignment.
  var text = "{" + header.joined(separator: ",") + "}"
  if text.utf8.count % 2 == 0 { text += " " }
  let length = withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { Array($0) }
  try Data(length + Array(text.utf8) + data).write(to: URL(fileURLWithPath: folder / "model.safetensors"))
  let config = """
    {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 10,
     "intermediate_size": 16, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "tie_word_embeddings": false}
    """
  try Data(config.utf8).write(to: URL(fileURLWithPath: folder / "config.json"))
  return try openCheckpoint(folder.path)
}

/// Opens one of the small GGUF models.
func ggufModel(_ name: String) throws -> any Checkpoint {
  try openCheckpoint(Fixture.gguf(name))
}

/// A file of pieces, placed as an export places them.
func layout(_ pieces: [WeightPiece]) -> WeightLayout.File {
  var layout = WeightLayout()
  for piece in pieces { _ = layout.place(piece, in: "weights") }
  return layout.files[0]
}
