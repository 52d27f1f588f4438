extension VerificationReport {
  /// The results as one HTML page that needs nothing else.
  /// - Parameter tolerance: adds what is beyond it.
  public func html(_ tolerance: Tolerance? = nil) -> String {
    var page = HTMLPage("Verification")
    page.facts([("Reference (A)", reference), ("Candidate (B)", candidate)])
    // Without bounds only what fails always is said.
    let violations = check(tolerance ?? Tolerance())
    if tolerance != nil || !violations.isEmpty {
      page.verdict(violations.map { "\($0.place): \($0.description)" })
    }
    var rows: [[String]] = []
    for run in cases {
      rows.append([run.name, "\(run.tokenCount)"] + run.prefill.cells)
      if !run.steps.isEmpty {
        rows.append(["then decoding", "\(run.steps.count)"] + run.decode.cells)
      }
    }
    rows.append(["overall", ""] + total.cells)
    page.table(
      "Logits",
      ["case", "tokens", "rows", "max abs", "max rel", "min cosine", "top-1", "mean KL", "max KL"], rows)
    for picture in pictures { page.picture(picture) }
    page.list("Left out", notes)
    return page.text
  }
}

extension Comparison {
  /// The results as one HTML page that needs nothing else.
  public var html: String {
    var page = HTMLPage("Comparison")
    page.facts([("A", a), ("B", b)])
    page.list("Shapes differ", mismatches.map { "\($0.name): \($0.shapes.0) in A, \($0.shapes.1) in B" })
    page.list("Only in A", missing)
    page.list("Only in B", extra)
    for picture in pictures { page.picture(picture) }
    page.table(
      "Tensors", ["tensor", "shape", "mse", "cosine", "max abs", "max rel", "mean abs", "NaN, inf"],
      entries.map { entry in
        let difference = entry.difference
        return [
          entry.name, "\(entry.shape)", NumberText.short(difference.meanSquared),
          NumberText.cosine(difference.cosine), NumberText.short(difference.maxAbsolute),
          NumberText.short(difference.maxRelative), NumberText.short(difference.meanAbsolute),
          "\(difference.nonFinite)",
        ]
      })
    return page.text
  }
}

/// A page without outside resources.
struct HTMLPage {
  private let title: String
  private var body = ""

  init(_ title: String) { self.title = title }

  mutating func facts(_ facts: [(String, String)]) {
    body += "<dl>"
    for (name, value) in facts { body += "<dt>\(SVG.escaped(name))</dt><dd>\(SVG.escaped(value))</dd>" }
    body += "</dl>\n"
  }

  /// - Parameter failures: none for a pass.
  mutating func verdict(_ failures: [String]) {
    if failures.isEmpty {
      body += "<p class=\"pass\">✓ Within the tolerance.</p>\n"
    } else {
      let items = failures.map { "<li>\(SVG.escaped($0))</li>" }.joined()
      body += "<div class=\"fail\">✗ Beyond the tolerance.<ul>\(items)</ul></div>\n"
    }
  }

  mutating func table(_ title: String, _ columns: [String], _ rows: [[String]]) {
    body += "<h2>\(SVG.escaped(title))</h2>\n<div class=\"wide\"><table><thead><tr>"
    for column in columns { body += "<th scope=\"col\">\(SVG.escaped(column))</th>" }
    body += "</tr></thead><tbody>\n"
    for row in rows {
      body += "<tr>" + row.map { "<td>\(SVG.escaped($0))</td>" }.joined() + "</tr>\n"
    }
    body += "</tbody></table></div>\n"
  }

  mutating func picture(_ svg: SVG) {
    body += "<div class=\"wide picture\">\(svg.document(label: title))</div>\n"
  }

  mutating func list(_ title: String, _ items: [String]) {
    guard !items.isEmpty else { return }
    body += "<h2>\(SVG.escaped(title))</h2>\n<ul>"
    for item in items { body += "<li>\(SVG.escaped(item))</li>" }
    body += "</ul>\n"
  }

  var text: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(SVG.escaped(title))</title>
    <style>
    body { font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: #222; background: #fff;
      max-width: 900px; margin: 2rem auto; padding: 0 1rem; }
    h1 { font-size: 1.5rem; margin: 0 0 .75rem; }
    h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
    dt { color: #555; }
    dd { margin: 0; overflow-wrap: anywhere; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
    th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid #e3e3e3; white-space: nowrap; }
    th:first-child, td:first-child { text-align: left; padding-left: 0; }
    tbody tr:last-child td { border-bottom: 2px solid #999; }
    .wide { overflow-x: auto; }
    .picture { margin-top: 2rem; }
    .pass, .fail { padding: .6rem .9rem; border-radius: 4px; margin: 1rem 0 0; }
    .pass { background: #e6f4ec; color: #0b5a30; }
    .fail { background: #fdeaea; color: #8c1111; }
    .fail ul { margin: .25rem 0 0; padding-left: 1.2rem; }
    svg { max-width: 100%; height: auto; }
    </style>
    </head>
    <body>
    <h1>\(SVG.escaped(title))</h1>
    \(body)</body>
    </html>

    """
  }
}
