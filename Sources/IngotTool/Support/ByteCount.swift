import ArgumentParser
import Ingot

/// A number of bytes, as `16GiB`, `900MB` or `4096`.
struct ByteCount: ExpressibleByArgument {
  var count: Int

  init?(argument: String) {
    let units: [(String, Double)] = [
      ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776), ("KB", 1e3),
      ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("K", 1024), ("M", 1_048_576), ("G", 1_073_741_824),
      ("T", 1_099_511_627_776), ("B", 1), ("", 1),
    ]
    let text = argument.lowercased()
    guard let unit = units.first(where: { text.hasSuffix($0.0.lowercased()) }),
      let number = Double(text.dropLast(unit.0.count).trimmed), number >= 0, number * unit.1 < 9e18
    else { return nil }
    count = Int(number * unit.1)
  }
}

extension Substring {
  fileprivate var trimmed: String { split(separator: " ").joined(separator: " ") }
}

/// A size in MiB, or in KiB where it is small.
func bytes(_ count: Int) -> String {
  let unit = count < 1 << 20 ? (1 << 10, "KiB") : (1 << 20, "MiB")
  let tenths = (count * 10 + unit.0 / 2) / unit.0
  return "\(grouped(tenths / 10)).\(tenths % 10) \(unit.1)"
}
