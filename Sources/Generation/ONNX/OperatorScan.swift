internal import IngotCore

/// Looks for operators in an ONNX file without decoding it: only the tags of protobuf are followed.
package struct OperatorScan {
  private let bytes: UnsafeRawBufferPointer

  /// Whether the main graph of a file has an operator of a name. A broken file has none: loading it will tell.
  package static func file(_ path: String, has operatorName: String) -> Bool {
    guard let file = try? MappedFile(path: path) else { return false }
    return withExtendedLifetime(file) { OperatorScan(bytes: file.bytes).has(operatorName) }
  }

  /// As above for a model in memory.
  package static func model(_ bytes: UnsafeRawBufferPointer, has operatorName: String) -> Bool {
    OperatorScan(bytes: bytes).has(operatorName)
  }

  /// The names of values that the main graph of a file makes, those that are wanted.
  static func outputs(ofFile path: String, where isWanted: (Slice<UnsafeRawBufferPointer>) -> Bool)
    -> [String]
  {
    guard let file = try? MappedFile(path: path) else { return [] }
    return withExtendedLifetime(file) {
      let scan = OperatorScan(bytes: file.bytes)
      var names: [String] = []
      // ModelProto.graph = 7, GraphProto.node = 1, NodeProto.output = 2.
      scan.fields(0..<scan.bytes.count) { number, graph in
        guard number == 7 else { return true }
        scan.fields(graph) { number, node in
          guard number == 1 else { return true }
          scan.fields(node) { number, text in
            if number == 2, isWanted(scan.bytes[text]) {
              names.append(String(decoding: scan.bytes[text], as: UTF8.self))
            }
            return true
          }
          return true
        }
        return true
      }
      return names
    }
  }

  private func has(_ name: String) -> Bool {
    let wanted = Array(name.utf8)
    var found = false
    // ModelProto.graph = 7, GraphProto.node = 1, NodeProto.op_type = 4.
    fields(0..<bytes.count) { number, graph in
      guard number == 7 else { return true }
      fields(graph) { number, node in
        guard number == 1 else { return true }
        fields(node) { number, text in
          if number == 4, bytes[text].elementsEqual(wanted) { found = true }
          return !found
        }
        return !found
      }
      return !found
    }
    return found
  }

  /// Calls `body` with number and bytes of each length-delimited field of a message, until it returns false.
  private func fields(_ range: Range<Int>, _ body: (UInt64, Range<Int>) -> Bool) {
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard let tag = varint(&offset, range.upperBound) else { return }
      switch tag & 7 {
      case 0: guard varint(&offset, range.upperBound) != nil else { return }
      case 1: offset += 8
      case 5: offset += 4
      case 2:
        guard let count = varint(&offset, range.upperBound), count <= UInt64(range.upperBound - offset) else {
          return
        }
        let end = offset + Int(count)
        guard body(tag >> 3, offset..<end) else { return }
        offset = end
      default: return
      }
    }
  }

  private func varint(_ offset: inout Int, _ end: Int) -> UInt64? {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard offset < end else { return nil }
      let byte = bytes[offset]
      offset += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return result }
    }
    return nil
  }
}
