/// Little-endian bytes, one after another.
struct ByteWriter {
  var bytes: [UInt8] = []

  mutating func add<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  mutating func add(string: String) {
    add(UInt64(string.utf8.count))
    bytes += string.utf8
  }
}

/// Builds GGUF files, broken ones too.
struct GGUFBuilder {
  struct Tensor {
    var name = "t"
    var dims: [UInt64] = [4]
    var type: UInt32 = 0
    var offset: UInt64 = 0
  }

  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  var tensorCount: UInt64?
  var pairCount: UInt64?
  /// Encoded pairs.
  var pairs: [[UInt8]] = []
  var tensors: [Tensor] = []
  var alignment = 32
  var data: [UInt8] = []

  /// Adds a pair whose value is written by `value`.
  mutating func pair(_ key: String, type: UInt32, _ value: (inout ByteWriter) -> Void) {
    var writer = ByteWriter()
    writer.add(string: key)
    writer.add(type)
    value(&writer)
    pairs.append(writer.bytes)
  }

  mutating func pair(_ key: String, _ value: UInt32) { pair(key, type: 4) { $0.add(value) } }
  mutating func pair(_ key: String, _ value: String) { pair(key, type: 8) { $0.add(string: value) } }

  /// A llama of one layer without tensors.
  static func model() -> GGUFBuilder {
    var builder = GGUFBuilder()
    builder.pair("general.architecture", "llama")
    builder.pair("llama.embedding_length", 8)
    builder.pair("llama.block_count", 1)
    builder.pair("llama.attention.head_count", 2)
    builder.pair("llama.feed_forward_length", 16)
    builder.pair("llama.context_length", 64)
    builder.pair("llama.vocab_size", 10)
    return builder
  }

  var file: [UInt8] {
    var writer = ByteWriter()
    writer.bytes += magic
    writer.add(version)
    writer.add(tensorCount ?? UInt64(tensors.count))
    writer.add(pairCount ?? UInt64(pairs.count))
    for pair in pairs { writer.bytes += pair }
    for tensor in tensors {
      writer.add(string: tensor.name)
      writer.add(UInt32(tensor.dims.count))
      for dim in tensor.dims { writer.add(dim) }
      writer.add(tensor.type)
      writer.add(tensor.offset)
    }
    if !tensors.isEmpty {
      while writer.bytes.count % alignment != 0 { writer.bytes.append(0) }
    }
    return writer.bytes + data
  }
}

/// A safetensors file of a header and some bytes of data.
func safetensors(_ header: String, data: Int = 0) -> [UInt8] {
  var writer = ByteWriter()
  writer.add(string: header)
  return writer.bytes + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
}
