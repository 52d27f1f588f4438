import Foundation
import IngotCore

@testable import Jinja

/// What `Scripts/make_jinja_fixtures.py` wrote.
enum Fixtures {
  /// The folder; `JINJA_FIXTURES` names another, to compare on more templates than are kept here.
  static var folder: String {
    ProcessInfo.processInfo.environment["JINJA_FIXTURES"] ?? Bundle.module.resourcePath! + "/Fixtures"
  }

  /// The moment that the script tells templates.
  static let now = LocalTime(year: 2024, month: 3, day: 5, hour: 7, minute: 8, second: 9)

  static func json(_ name: String) throws -> JSONValue { try JSONParser.parse(path: "\(folder)/\(name)") }

  static func template(_ name: String) throws -> String {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/templates/\(name)"))
    return String(decoding: data, as: UTF8.self)
  }

  static var templateNames: [String] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: "\(folder)/templates")
        .filter { $0.hasSuffix(".jinja") }.sorted()
    }
  }

  /// Where two texts part, for messages.
  static func difference(_ actual: String, _ expected: String) -> String {
    let (a, b) = (Array(actual.utf8), Array(expected.utf8))
    let at = zip(a, b).prefix { $0 == $1 }.count
    func part(_ bytes: [UInt8]) -> String {
      String(decoding: bytes[max(0, min(at, bytes.count) - 20)..<min(at + 40, bytes.count)], as: UTF8.self)
        .debugDescription
    }
    return "at byte \(at): \(part(a)) instead of \(part(b))"
  }
}
