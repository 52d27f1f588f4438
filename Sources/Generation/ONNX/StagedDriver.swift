internal import Checkpoints
internal import IngotCore
internal import ONNXRuntime

/// Drives `staged` exports: embedding, blocks and output of fixed shapes, one folder for any number of tokens or a
/// second one for single tokens.
///
/// Layouts: the mask has a column per slot of the cache, then one per new token; a run gives back the new rows only,
/// which are stored behind the old ones.
final class StagedDriver: ONNXDriver {
  private let prefill: StagedSet
  private let decode: StagedSet?
  private let borders: PartBorders
  private let runtime: OrtRuntime

  var vocabSize: Int? { prefill.vocabSize }
  var fixedLength: Int? { prefill.slots }
  var layerCount: Int { borders.layerCount }
  var observations: [String] { borders.names }

  /// - Parameters:
  ///   - prefill: the folder for any number of tokens.
  ///   - decode: the folder for single tokens.
  init(_ prefill: ONNXContext, decode: ONNXContext?) throws(IngotError) {
    runtime = prefill.runtime
    self.prefill = try StagedSet(prefill, files: try FileSystem.names(in: prefill.folder))
    borders = PartBorders(layersPerPart: self.prefill.geometries.map(\.layers))
    guard let decode else {
      self.decode = nil
      return
    }
    let single = try StagedSet(decode, files: try FileSystem.names(in: decode.folder))
    func fail(_ what: String) -> IngotError {
      IngotError(
        .config, "\(what), so they cannot share a cache", at: .init(file: decode.folder),
        hint: "export both folders in one call")
    }
    guard single.slots == self.prefill.slots else {
      throw fail("the prefill folder has \(self.prefill.slots) slots, the decode folder \(single.slots)")
    }
    let layers = single.geometries.reduce(0) { $0 + $1.layers }
    guard layers == borders.layerCount else {
      throw fail("the prefill folder has \(borders.layerCount) layers, the decode folder \(layers)")
    }
    guard single.geometries == self.prefill.geometries, single.vocabSize == self.prefill.vocabSize else {
      throw fail("blocks of the prefill and the decode folder differ in shape")
    }
    self.decode = single
  }

  func makeCache(contextLength: Int) throws(IngotError) -> any ONNXCache {
    try SlotCache(runtime, prefill.geometries, slots: prefill.slots)
  }

  func append(
    _ request: ONNXRequest, to cache: any ONNXCache, onTensor: OnTensor, onLogits: OnLogits
  ) throws(IngotError) {
    guard let cache = cache as? SlotCache else { return }
    var start = 0
    while start < request.tokens.count {
      let rest = request.tokens.count - start
      let set = rest == 1 ? decode ?? prefill : prefill
      let piece = start..<start + min(rest, set.tokens)
      try set.run(
        Array(request.tokens[piece]), cache, rows: request.logitRows(of: piece),
        onBorder: { (border, value) throws(IngotError) in
          try request.show(borders.names[border], value, rows: piece, onTensor)
        }, onLogits: { onLogits(start + $0, $1) })
      start = piece.upperBound
    }
  }
}
