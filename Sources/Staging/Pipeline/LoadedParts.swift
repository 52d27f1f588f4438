import IngotCore

/// All parts of a folder, each loaded once.
final class LoadedParts {
  let form: StagedForm
  let embed: any StagePart
  let blocks: [any StagePart]
  let output: any StagePart

  init(_ source: any StageSource, _ form: StagedForm) throws(IngotError) {
    self.form = form
    embed = try source.load(.embed)
    var blocks: [any StagePart] = []
    for index in form.blocks.indices { blocks.append(try source.load(.block(index))) }
    self.blocks = blocks
    output = try source.load(.output)
  }
}

/// A folder's lengths and digests.
struct StagedModel {
  let source: any StageSource
  let form: StagedForm
  let prints: [StagePartName: PartPrint]

  init(_ source: any StageSource) throws(IngotError) {
    self.source = source
    form = try StagedForm(source)
    var prints: [StagePartName: PartPrint] = [:]
    for part in Self.parts(form) { prints[part] = try source.print(of: part) }
    self.prints = prints
  }

  static func parts(_ form: StagedForm) -> [StagePartName] {
    [.embed] + form.blocks.indices.map { .block($0) } + [.output]
  }

  /// One digest a part.
  var digests: [UInt64] { Self.parts(form).compactMap { prints[$0]?.digest } }

  /// The weights of a block.
  func weights(ofBlock index: Int) -> PartPrint { prints[.block(index)] ?? PartPrint(graph: 0, weights: []) }

  /// Checks that another folder is the same model for another length.
  /// - Throws: `.shape` for other lengths, `.argument` for other weights.
  func requirePartner(_ other: StagedModel) throws(IngotError) {
    try form.requirePartner(other.form, file: other.source.path, of: source.path)
    for part in Self.parts(form) {
      guard let mine = prints[part], let theirs = other.prints[part], mine.hasWeights(of: theirs) else {
        throw IngotError(
          .argument, "the part has other weights than \(source.file(part))",
          at: .init(file: other.source.file(part)), hint: "use parts of one model")
      }
    }
  }
}
