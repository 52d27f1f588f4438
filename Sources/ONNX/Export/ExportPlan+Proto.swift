internal import IngotCore
internal import SwiftProtobuf

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension ExportPlan {
  /// A model as it is written.
  /// - Parameter bytes: makes the tensors of a weight that lies in the model itself.
  func proto(
    _ model: Model, bytes: (WeightPiece) throws(IngotError) -> [Data]
  ) throws(IngotError) -> Onnx_ModelProto {
    var proto = Onnx_ModelProto(model.builder, name: model.path.stem)
    for (names, piece) in model.builder.weights {
      let inline = places[piece] == nil ? try bytes(piece) : []
      for (index, tensor) in piece.tensors.enumerated() {
        var weight = Onnx_TensorProto(names[index], tensor)
        if let place = places[piece]?[index] {
          weight.dataLocation = .external
          weight.externalData = [
            .entry("location", relative(place.path, to: model.path)), .entry("offset", "\(place.offset)"),
            .entry("length", "\(tensor.byteCount)"),
          ]
        } else {
          weight.rawData = inline[index]
        }
        proto.graph.initializer.append(weight)
      }
    }
    return proto
  }

  /// A model's bytes on disk.
  func byteCount(of model: Model) -> Int {
    var inline = 0
    let proto = try? proto(model) { piece in
      piece.tensors.map { tensor in
        // Large tensors are only counted: a length of more digits adds a few bytes at most.
        guard tensor.byteCount > 1 << 16 else { return Data(count: tensor.byteCount) }
        inline += tensor.byteCount
        return Data()
      }
    }
    let bytes: [UInt8]? = try? proto?.serializedBytes()
    return (bytes?.count ?? 0) + inline
  }

  /// A path of the export as a model's own folder sees it, which never lies deeper than what it names.
  private func relative(_ path: String, to model: String) -> String {
    let folder = model.lastIndex(of: "/").map { String(model[...$0]) } ?? ""
    return path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path
  }
}

extension Onnx_StringStringEntryProto {
  fileprivate static func entry(_ key: String, _ value: String) -> Onnx_StringStringEntryProto {
    var entry = Onnx_StringStringEntryProto()
    (entry.key, entry.value) = (key, value)
    return entry
  }
}
