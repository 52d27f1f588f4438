internal import Engine

/// Results as a table in Markdown, in the way of llama-bench: a row can be printed as soon as it is known.
public struct BenchmarkTable: Sendable {
  private let titles: [String]
  private let widths: [Int]
  private let results: BenchmarkResults
  private let showsCacheType: Bool

  /// Lays out the columns.
  /// - Parameters:
  ///   - results: model and machine; the rows may be missing.
  ///   - options: what will be run.
  public init(_ results: BenchmarkResults, _ options: Benchmark.Options) {
    self.results = results
    showsCacheType = options.kvTypes != [.f16]
    titles =
      ["model", "size", "params", "backend", "threads"] + (showsCacheType ? ["kv"] : [])
      + ["test", "t/s", "of limit"]
    let tests = options.tests.map(\.name.count).max() ?? 4
    widths =
      [max(5, results.model.name.count), 10, 8, 14, 7] + (showsCacheType ? [3] : [])
      + [max(4, tests), 19, 10]
  }

  private var isText: [Bool] {
    [true, false, false, true, false] + (showsCacheType ? [true] : []) + [false, false, false]
  }

  /// Machine and limits, then the table's head.
  public var head: String {
    "\(machine)\n"
      + BenchmarkTable.line(zip(titles, zip(widths, isText)).map { Self.padded($0, $1.0, $1.1) })
      + BenchmarkTable.line(
        zip(widths, isText).map { String(repeating: "-", count: $1 ? $0 : $0 - 1) + ($1 ? "" : ":") })
  }

  /// The machine and its limits, a line each.
  public var machine: String {
    var text = "machine: \(results.machine)\n"
    for limits in results.limits { text += "limits: \(limits.text)\n" }
    return text
  }

  /// A line of the table.
  public func line(_ row: BenchmarkRow) -> String {
    let model = results.model
    var cells = [
      model.name, Self.mebibytes(model.byteCount),
      model.parameterCount.map { NumberText.fixed(Double($0) / 1e6, digits: 1) + " M" } ?? "",
      row.setting.backend, "\(row.setting.threads)",
    ]
    if showsCacheType { cells.append(row.setting.kvType?.rawValue ?? "") }
    cells += [row.test.name, row.speeds.meanText, row.fraction?.text ?? ""]
    return BenchmarkTable.line(zip(cells, zip(widths, isText)).map { Self.padded($0, $1.0, $1.1) })
  }

  /// What opening took and memory, a line per setting.
  public static func loads(_ results: BenchmarkResults) -> String {
    var text = ""
    for load in results.loads {
      let type = load.setting.kvType.map { ", \($0.rawValue)" } ?? ""
      text += "\(threads(load.setting.threads))\(type): "
      let seconds = NumberText.fixed(load.seconds.mean, digits: 3)
      let deviation = NumberText.fixed(load.seconds.deviation, digits: 3)
      text += "opened to first token in \(seconds)"
      text += load.seconds.values.count > 1 ? " ± \(deviation) s (\(load.seconds.values.count) times)" : " s"
      if let peak = load.peakBytes {
        text += "; peak memory \(mebibytes(peak))"
        if let weights = load.weightBytes, let cache = load.cacheBytes, let beyond = load.beyondBytes {
          text += ": weights \(mebibytes(weights)), cache \(mebibytes(cache)), \(mebibytes(beyond)) beyond"
        }
      }
      text += "\n"
    }
    return text
  }

  /// Medians beside the others'; empty where nobody was compared with.
  public static func comparison(_ results: BenchmarkResults) -> String {
    let rows = results.rows.filter { !$0.rivals.isEmpty }
    guard !rows.isEmpty else { return "" }
    var text = line(["test", "threads", "ingot t/s", "against", "t/s", "its setting", "ratio"])
    text += "| --- | ---: | ---: | --- | ---: | --- | ---: |\n"
    for row in rows {
      for rival in row.rivals {
        guard let best = rival.best, let ratio = row.ratio(to: rival) else { continue }
        text += line([
          row.test.name, "\(row.setting.threads)", row.speeds.medianText, rival.peer.kind.rawValue,
          best.speeds.medianText, best.setting, NumberText.fixed(ratio, digits: 2),
        ])
      }
    }
    return text + "medians (ranges) of rounds in turns; of the other's settings the better one\n"
  }

  /// As `1 thread`.
  package static func threads(_ count: Int) -> String { "\(count) thread\(count == 1 ? "" : "s")" }

  private static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }

  private static func padded(_ cell: String, _ width: Int, _ isText: Bool) -> String {
    let space = String(repeating: " ", count: max(0, width - cell.count))
    return isText ? cell + space : space + cell
  }

  private static func mebibytes(_ bytes: Int) -> String {
    "\(NumberText.fixed(Double(bytes) / 1_048_576, digits: 2)) MiB"
  }
}

extension MachineLimits {
  /// In one line.
  package var text: String {
    func giga(_ value: Double) -> String { NumberText.fixed(value * 1e-9, digits: value < 100e9 ? 1 : 0) }
    let join =
      threads > 1 ? ", fork-join \(NumberText.fixed(forkJoin * 1e6, digits: 1)) µs" : ""
    return "\(BenchmarkTable.threads(threads)): \(giga(readBandwidth)) GB/s read, "
      + "\(giga(int8Operations)) GOPS int8, \(giga(floatOperations)) GFLOPS f32\(join)"
  }
}
