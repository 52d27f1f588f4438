internal import IngotCore

/// A named run of bytes in an artefact, at a page of its own.
public struct ArtifactSegment: Sendable, Hashable {
  /// Its name, unique in the file.
  public let name: String
  /// Where it begins in the file, a multiple of 4096.
  public let offset: Int
  /// Bytes of the plaintext. In an encrypted file it takes more.
  public let byteCount: Int
  /// SHA-256 of the plaintext in hexadecimal digits: an encrypted and a plain file with the same weights have the
  /// same digest.
  public let sha256: String

  /// Most segments of a file.
  static let most = 1 << 16
  /// Bytes of the longest name.
  static let longestName = 255

  /// - Throws: `.argument` for a name that cannot be.
  static func check(name: String) throws(IngotError) {
    guard !name.isEmpty, name.utf8.count <= longestName, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { throw IngotError(.argument, "\"\(name.prefix(64))\" cannot be the name of a segment") }
  }

  var json: JSONValue {
    .object(
      JSONObject([
        .init("name", .string(name)), .init("offset", .int(offset)), .init("bytes", .int(byteCount)),
        .init("sha256", .string(sha256)),
      ]))
  }
}

extension ArtifactSegment {
  /// Keys of the manifest that are the container's own.
  static let versionKey = "format_version"
  static let tableKey = "segments"

  /// The manifest of an artefact: the container's own members first, then the user's.
  static func manifest(_ segments: [ArtifactSegment], _ own: JSONObject, version: Int) -> JSONObject {
    var manifest = JSONObject([
      .init(versionKey, .int(version)), .init(tableKey, .array(segments.map(\.json))),
    ])
    for member in own.members where member.key != versionKey && member.key != tableKey {
      manifest[member.key] = member.value
    }
    return manifest
  }

  /// The segments of a manifest, each within the file, none over another.
  /// - Parameter storedBytes: what so many bytes take in the file; nil beyond what can be counted.
  /// - Throws: `.format` naming the entry.
  static func table(
    of manifest: JSONValue, _ header: ArtifactHeader, path: String, storedBytes: (Int) -> Int?
  ) throws(IngotError) -> [ArtifactSegment] {
    func damaged(_ what: String, _ key: String) -> IngotError {
      IngotError(.format, what, at: .init(file: path, key: key))
    }
    guard manifest.object != nil else { throw damaged("the manifest is no object", "manifest") }
    guard manifest[versionKey] == .int(header.formatVersion) else {
      throw damaged("the manifest's format version is not the header's \(header.formatVersion)", versionKey)
    }
    guard let list = manifest[tableKey]?.array else { throw damaged("no list of segments", tableKey) }
    guard list.count <= most else { throw damaged("\(list.count) segments; at most \(most)", tableKey) }
    var segments: [ArtifactSegment] = []
    segments.reserveCapacity(list.count)
    var names: Set<String> = []
    // In the order they were written in: one behind the other.
    var end = ArtifactHeader.pageBytes
    for (index, entry) in list.enumerated() {
      let key = "\(tableKey)[\(index)]"
      guard let name = entry["name"]?.string, case .int(let offset) = entry["offset"],
        case .int(let byteCount) = entry["bytes"], let digest = entry["sha256"]?.string
      else { throw damaged("a segment has a name, an offset, bytes and sha256", key) }
      do throws(IngotError) { try check(name: name) } catch { throw damaged(error.what, key) }
      guard names.insert(name).inserted else { throw damaged("a second segment \"\(name)\"", key) }
      guard digest.utf8.count == 64, [UInt8](hexadecimal: digest)?.hexadecimal == digest else {
        throw damaged("the sha256 of segment \"\(name)\" is not 64 lower-case hexadecimal digits", key)
      }
      guard byteCount >= 0, let stored = storedBytes(byteCount), offset % ArtifactHeader.pageBytes == 0,
        offset >= end, offset <= header.manifestOffset, stored <= header.manifestOffset - offset
      else {
        throw damaged(
          "segment \"\(name)\" cannot be \(byteCount) bytes at byte \(offset): the segments before it end at byte "
            + "\(end), and the manifest begins at \(header.manifestOffset)", key)
      }
      end = offset + stored
      segments.append(ArtifactSegment(name: name, offset: offset, byteCount: byteCount, sha256: digest))
    }
    return segments
  }
}
