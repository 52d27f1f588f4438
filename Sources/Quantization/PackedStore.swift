internal import CKernels
internal import Checkpoints
internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Packed weights of a checkpoint in a file, so that the next start maps them instead of packing them again.
///
/// The file is named by a digest of what the weights were made from: the paths, sizes and times of the checkpoint's
/// files and the version of the layout. A checkpoint that changes gets another file, and the old one stays until
/// somebody removes it; a file that does not fit in every respect is not used.
///
///     "INGOTPK1", u32 byte count of the JSON, JSON: {"key", "weights": [{name, format, group, n, k, offset, bytes}]}
///     then, at multiples of 4096 bytes, the tiles of each weight as `ingot_matmul.h` lays them out
final class PackedStore: @unchecked Sendable {
  /// Raised whenever the packed layout or the way weights are rounded changes.
  private static let version = 1
  private static let magic = Array("INGOTPK1".utf8)
  private static let alignment = 4096

  private struct Entry: Hashable {
    var format: UInt32
    var group: Int32
    var n: Int64
    var k: Int64
    var offset: Int
    var byteCount: Int
  }

  /// Where the file is, or will be.
  let path: String
  private let key: String
  private let file: MappedFile?
  private let entries: [String: Entry]

  /// Looks for the weights of a checkpoint in a folder.
  /// - Throws: `.io` for files of the checkpoint that cannot be looked at.
  init(folder: String, _ checkpoint: any Checkpoint) throws(IngotError) {
    key = try Self.key(checkpoint)
    let name = Array(key.utf8).withUnsafeBytes {
      String(ingot_hash64($0.baseAddress, $0.count, 0), radix: 16)
    }
    path = folder + "/" + name + ".ingotpack"
    // A file that is missing or damaged is made anew.
    let found: (MappedFile, [String: Entry])?
    do throws(IngotError) { found = try Self.open(path, key) } catch { found = nil }
    (file, entries) = (found?.0, found?.1 ?? [:])
    guard file == nil else { return }
    // Better now than when all is packed.
    mkdir(folder, 0o755)
    guard access(folder, W_OK) == 0 else {
      throw .system("cannot keep packed weights in the folder", path: folder)
    }
  }

  private static func key(_ checkpoint: any Checkpoint) throws(IngotError) -> String {
    var paths: Set<String> = []
    for name in checkpoint.tensorNames {
      if let tensor = checkpoint.tensor(named: name) { paths.insert(tensor.file.path) }
    }
    // How others' packed weights are read is said there.
    for name in ["config.json", "quantize_config.json", "quant_config.json"] {
      let path = FileSystem.join(checkpoint.path, name)
      if FileSystem.exists(path) { paths.insert(path) }
    }
    var key = "layout \(version)"
    for path in paths.sorted() {
      let file = try FileIdentity(path: path)
      let (seconds, nanoseconds) = file.modified.quotientAndRemainder(dividingBy: 1_000_000_000)
      let absolute = realpath(path, nil)
      defer { free(absolute) }
      key += "\n\(absolute.map { String(cString: $0) } ?? path) \(file.byteCount) \(seconds).\(nanoseconds)"
    }
    return key
  }

  private static func open(_ path: String, _ key: String) throws(IngotError) -> (MappedFile, [String: Entry])
  {
    let file = try MappedFile(path: path)
    let damaged = IngotError(.format, "not a file of packed weights", at: .init(file: path))
    let start = magic.count + 4
    guard file.byteCount >= start, file.bytes.prefix(magic.count).elementsEqual(magic) else { throw damaged }
    let length = Int(
      UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: magic.count, as: UInt32.self)))
    guard length <= file.byteCount - start else { throw damaged }
    let header = try JSONParser.parse(
      UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + length]), file: path)
    guard header["key"]?.string == key, let list = header["weights"]?.array else { throw damaged }
    var entries: [String: Entry] = [:]
    for item in list {
      guard let name = item["name"]?.string, let format = item["format"]?.int, let group = item["group"]?.int,
        let n = item["n"]?.int, let k = item["k"]?.int, let offset = item["offset"]?.int,
        let bytes = item["bytes"]?.int, let format = UInt32(exactly: format),
        let group = Int32(exactly: group),
        offset >= 0, bytes >= 0, offset % alignment == 0, offset <= file.byteCount,
        bytes <= file.byteCount - offset
      else { throw damaged }
      entries[name] = Entry(
        format: format, group: group, n: Int64(n), k: Int64(k), offset: offset, byteCount: bytes)
    }
    return (file, entries)
  }

  /// A weight as it was packed before; nil when the file does not hold it in this form.
  /// - Parameter inputOrder: what the checkpoint's files say, by which the weight was packed: the key tells that they are
  ///   the same files.
  func weight(
    named name: String, format: ingot_format, group: Int, outputs: Int, inputs: Int, inputOrder: [Int32]?
  ) -> PackedWeight? {
    guard let file, let entry = entries[name],
      entry.format == format.rawValue, entry.group == group, entry.n == outputs, entry.k == inputs,
      entry.byteCount == ingot_weight_bytes(format, entry.n, entry.k, entry.group)
    else { return nil }
    return PackedWeight(
      format: format, group: group, outputs: outputs, inputs: inputs, inputOrder: inputOrder, in: file,
      offset: entry.offset, byteCount: entry.byteCount)
  }

  /// Writes weights for the next start.
  /// - Throws: `.io`; then nothing was written.
  func save(_ weights: [(name: String, weight: PackedWeight)]) throws(IngotError) {
    func rounded(_ count: Int) -> Int { (count + Self.alignment - 1) / Self.alignment * Self.alignment }
    // Its length is measured with offsets longer than any, and what is too much is filled with spaces.
    func header(dataStart: Int) -> String {
      var offset = dataStart
      var list: [JSONValue] = []
      for (name, weight) in weights {
        let descriptor = weight.descriptor
        list.append(
          .object(
            JSONObject([
              .init("name", .string(name)), .init("format", .int(Int(descriptor.format.rawValue))),
              .init("group", .int(Int(descriptor.group))), .init("n", .int(Int(descriptor.n))),
              .init("k", .int(Int(descriptor.k))), .init("offset", .int(offset)),
              .init("bytes", .int(weight.byteCount)),
            ])))
        offset += rounded(weight.byteCount)
      }
      return JSONValue.object(JSONObject([.init("key", .string(key)), .init("weights", .array(list))]))
        .description
    }
    let start = Self.magic.count + 4
    let dataStart = rounded(start + header(dataStart: 1 << 40).utf8.count)
    var text = Array(header(dataStart: dataStart).utf8)
    text += [UInt8](repeating: UInt8(ascii: " "), count: dataStart - start - text.count)
    let length = UInt32(text.count)
    let file = try AtomicFile(path: path)
    try file.reserve(byteCount: dataStart + weights.reduce(0) { $0 + rounded($1.weight.byteCount) })
    try file.write(Self.magic + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text)
    let padding = [UInt8](repeating: 0, count: Self.alignment)
    for (_, weight) in weights {
      try file.write(UnsafeRawBufferPointer(start: weight.descriptor.data, count: weight.byteCount))
      try file.write(Array(padding.prefix(rounded(weight.byteCount) - weight.byteCount)))
    }
    try file.commit()
  }
}
