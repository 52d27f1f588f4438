import ArgumentParser
import Ingot

/// The lengths a model is compiled for.
struct LengthArguments: ParsableArguments {
  @Option(
    name: [.customLong("max-context"), .customLong("seq-length")], parsing: .unconditional,
    help: "Tokens of the whole buffer; by default the model's context, at most 4096, or the parts' sum.")
  var total: Int?

  @Option(name: .customLong("share-length"), parsing: .unconditional, help: "Most tokens of a shared prefix.")
  var share: Int?

  @Option(
    name: .customLong("unshare-length"), parsing: .unconditional, help: "Most tokens of a question after it.")
  var unshare: Int?

  @Option(
    name: .customLong("decode-length"), parsing: .unconditional,
    help: "Tokens of a reply there is always room for.")
  var decode: Int?

  @Option(
    help:
      "Several sets in one file, as share+unshare+decode: 5888+1536+1280,6016+1024+512; without a prefix unshare+decode."
  )
  var stages: String?

  @Option(
    name: .customLong("max-pos-len"), parsing: .unconditional,
    help:
      "Rows of the rotary tables; files that are to share prefixes need the same. By default the longest set."
  )
  var maxPositions: Int?

  @Option(
    name: .customLong("prefill-chunk"), parsing: .unconditional,
    help: "Most tokens of a prompt that are computed together.")
  var prefillChunk = 512

  @Option(name: .customLong("kv-type"), help: "Element type of the cache that memory is planned for.")
  var kvType = KVType.f16

  @Flag(help: "Allow any length up to the longest, not the sets' alone.")
  var dynamic = false

  /// - Throws: `.argument`.
  func sets(model config: DecoderConfig) throws(IngotError) -> [StageSet] {
    guard let stages else { return [try set(config)] }
    guard total == nil, share == nil, unshare == nil, decode == nil else {
      throw IngotError(.argument, "--stages gives all lengths; leave the other length options out")
    }
    var sets: [StageSet] = []
    for item in stages.split(separator: ",", omittingEmptySubsequences: false) {
      let numbers = item.split(separator: "+", omittingEmptySubsequences: false).map { Int($0) }
      guard numbers.count == 2 || numbers.count == 3, numbers.allSatisfy({ ($0 ?? -1) >= 0 }) else {
        throw IngotError(
          .argument, "\"\(item)\" is no set of stages", hint: "write share+unshare+decode, as 5888+1536+1280")
      }
      let parts = numbers.compactMap(\.self)
      let (share, rest) = parts.count == 3 ? (parts[0], Array(parts[1...])) : (0, parts)
      sets.append(try Self.set(share: share, unshare: rest[0], decode: rest[1]))
    }
    return sets
  }

  private static func set(share: Int, unshare: Int, decode: Int) throws(IngotError) -> StageSet {
    let most = StageSet.longest
    guard (0...most).contains(share), (0...most).contains(unshare), (0...most).contains(decode) else {
      throw IngotError(
        .argument, "a length is out of range: \(share)+\(unshare)+\(decode); \(most) is the most")
    }
    return try StageSet(share: share, unshare: unshare, total: share + unshare + decode)
  }

  private func set(_ config: DecoderConfig) throws(IngotError) -> StageSet {
    let share = share ?? 0
    if let unshare, let decode {
      let set = try Self.set(share: share, unshare: unshare, decode: decode)
      guard total == nil || total == set.total else {
        throw IngotError(.argument, "--max-context is \(total ?? 0), and the parts' sum is \(set.total)")
      }
      return set
    }
    let total = total ?? min(config.maxPositions, TextModel.defaultContextLength)
    let most = StageSet.longest
    guard (1...most).contains(total), (0..<total).contains(share) else {
      throw IngotError(.argument, "a prefix of \(share) tokens does not fit \(total)")
    }
    let decode = decode ?? (unshare == nil && share > 0 ? max(1, (total - share) / 2) : 1)
    guard (1...most).contains(decode) else {
      throw IngotError(.argument, "the decode length is \(decode); it must be from 1 to \(most)")
    }
    return try StageSet(share: share, unshare: unshare ?? total - share - decode, total: total)
  }
}
