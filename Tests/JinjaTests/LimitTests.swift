import IngotCore
import Testing

@testable import Jinja

/// Bad and hostile templates end in one clear error, never in a trap, an endless run or all of memory.
@Suite struct LimitTests {
  static let limits: TemplateLimits = {
    var limits = TemplateLimits()
    limits.steps = 300_000
    limits.outputBytes = 1 << 20
    limits.allocatedBytes = 32 << 20
    return limits
  }()

  /// The error of a template; nil when it renders.
  private func failure(
    _ source: String, _ variables: JSONObject = JSONObject(), _ limits: TemplateLimits = Self.limits
  ) -> IngotError? {
    do throws(IngotError) {
      _ = try Template(source, options: TemplateOptions(limits: limits)).render(variables)
      return nil
    } catch { return error }
  }

  @Test(arguments: [
    ("a\n{% if x %}\n", 2), ("a\n\n{{ x", 3), ("{# c", 1), ("\n{% raw %}x", 2), ("\n{{ 'x }}", 2),
    ("\n\n{% nope %}", 3), ("\n{{ x|nope }}", 2), ("\n{{ x is nope }}", 2), ("x\n{% endfor %}", 2),
    ("\n{{ 1 + }}", 2), ("\n{{ (1 }}", 2), ("\n{{ @ }}", 2), ("\n\n{{ missing.x }}", 3),
    ("{%- if true %}\n\n{{ 1 / 0 }}{% endif %}", 3), ("\n{{ raise_exception('no') }}", 2),
    ("{{ 'a\nb' }}{{ 1 + 'a' }}", 2), ("{# \n\n #}\n{{ x() }}", 4),
    ("{% macro m() %}\n{{ 1/0 }}{% endmacro %}\n{{ m() }}", 2),
    ("{% raw %}\n\n{% endraw %}\n{{ 1/0 }}", 4), ("a\r\nb\r{{ 1/0 }}", 3),
  ])
  func errorsNameTheirLine(source: String, line: Int) throws {
    let error = try #require(failure(source))
    #expect(error.kind == .template)
    #expect(error.place.line == "\(line)")
  }

  @Test func errorsNameTheirFileAndQuoteTheTemplate() throws {
    let template = try Template(
      "\n{{ raise_exception('Roles must alternate') }}", name: "tokenizer_config.json")
    #expect(
      throws: IngotError(
        .template, "Roles must alternate", at: .init(file: "tokenizer_config.json", line: "2"))
    ) { try template.render(JSONObject()) }
  }

  @Test(arguments: [
    "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}",
    "{% autoescape true %}{% endautoescape %}", "{{ lipsum() }}", "{{ [1]|random }}", "{{ 'a'.encode() }}",
    "{{ 'x'|urlize }}",
  ])
  func whatIsNotSupportedSaysSo(source: String) throws {
    #expect(try #require(failure(source)).kind == .unsupported)
  }

  @Test(arguments: [
    ("(", ")", "1"), ("[", "]", ""), ("{1:", "}", "1"), ("not ", "", "1"), ("-", "", "1"), ("f(", ")", ""),
    ("x[", "]", "1"), ("1 if ", "", "1"), ("1 if 1 else ", "", "1"), ("x is y(", ")", ""), ("x|d(", ")", ""),
    ("x is y ", "", "z"), ("(1,", ")", ""), ("1 + (", ")", "1"), ("'a' ~ [", "]", "1"),
  ])
  func deepNestingIsRefused(open: String, close: String, middle: String) throws {
    let count = open == "(" || open == "[" ? 100_000 : 3_000
    let source = String(repeating: open, count: count) + middle + String(repeating: close, count: count)
    let error = try #require(failure("{{ " + source + " }}"))
    #expect(error.kind == .limit || error.kind == .template)
  }

  @Test(arguments: [
    ("{% if 1 %}", "{% endif %}"), ("{% for x in [1] %}", "{% endfor %}"), ("{% with %}", "{% endwith %}"),
    ("{% macro m() %}", "{% endmacro %}"), ("{% filter upper %}", "{% endfilter %}"),
    ("{% set x %}", "{% endset %}"), ("{% call m() %}", "{% endcall %}"),
    ("{% if 1 %}{% else %}", "{% endif %}"),
    ("{% generation %}", "{% endgeneration %}"), ("{% for ((", ")) in x %}{% endfor %}"),
  ])
  func deepBlocksAreRefused(open: String, close: String) throws {
    let count = open == "{% if 1 %}" ? 100_000 : 3_000
    let source = String(repeating: open, count: count) + String(repeating: close, count: count)
    let error = try #require(failure(source))
    #expect(error.kind == .limit || error.kind == .template)
  }

  @Test func longChainsAreNoNesting() throws {
    let count = 2_000
    for (piece, expected) in [(" + 1", "2001"), (" * 1", "1"), ("|abs", "1"), (" ** 1", "1"), (" - 0", "1")] {
      let source = "{{ 1" + String(repeating: piece, count: count) + " }}"
      #expect(try Template(source).render(JSONObject()) == expected)
    }
    let branches = String(repeating: "{% elif 0 %}x", count: count)
    #expect(try Template("{% if 0 %}\(branches){% else %}y{% endif %}").render(JSONObject()) == "y")
    let or = "{{ 0" + String(repeating: " or 0", count: count) + " or 'z' }}"
    #expect(try Template(or).render(JSONObject()) == "z")
  }

  @Test(arguments: [
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% macro m() %}{% call m() %}{% endcall %}{{ caller() }}{% endmacro %}{% call m() %}{% endcall %}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}",
    "{% set ns = namespace(s=1) %}{% for i in range(100000) %}{% set ns.s = [ns.s] %}{% endfor %}",
    "{% set ns = namespace(s=1) %}{% for i in range(100000) %}{% set ns.s = {'a': ns.s} %}{% endfor %}",
    "{% set ns = namespace(s=[1]) %}{% for i in range(100000) %}{% set ns.s = ns.s|map('string') %}{% endfor %}",
    "{% set ns = namespace(s=1) %}{% for i in range(100000) %}{% set ns.s = cycler(ns.s).next %}{% endfor %}",
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxx' }}{% endfor %}",
    "{{ range(10**12) }}", "{{ range(0, 10**12)|list }}",
    "{{ range(-9223372036854775807, 9223372036854775807) }}",
    "{{ 'x' * 10**12 }}", "{{ 10**12 * 'xyz' }}", "{{ [1] * 10**12 }}", "{{ (1, 2) * 10**12 }}",
    "{{ 'x'.center(10**12) }}", "{{ 'x'.ljust(10**12) }}", "{{ 'x'.zfill(10**12) }}",
    "{{ 'x'|center(10**12) }}",
    "{{ '%1000000000000d' % 1 }}", "{{ '%.999999999d' % 1 }}", "{{ '%*d' % (10**12, 1) }}",
    "{{ '{:1000000000000}'.format(1) }}", "{{ '{:>99999999}'.format('x') }}",
    "{{ '{:,.99999999f}'.format(1.5) }}",
    "{{ 'a'|indent(10**12) }}", "{{ [1]|tojson(indent=10**12) }}",
    "{{ ['x' * 100]|batch(10**12, 'f')|list }}",
    "{{ [1]|slice(10**12)|list }}", "{{ 'a\\tb'.expandtabs(10**12) }}",
    "{{ ('x' * 100000).replace('', 'y' * 1000) }}",
    "{{ ('y' * 10000).join('x' * 10000) }}", "{{ (['x' * 10000] * 10000)|join }}",
    "{{ ['x' * 100000] * 1000 }}",
    "{% set x = [['x' * 1000] * 1000] * 1000 %}{{ x }}", "{{ 2 ** 64 }}", "{{ 9223372036854775807 + 1 }}",
    "{{ 9223372036854775807 * 2 }}", "{{ -9223372036854775807 - 2 }}", "{{ 10 ** 10 ** 10 }}",
    "{{ 9223372036854775808 }}", "{{ '9223372036854775808'|int }}", "{{ 1e300|int }}",
    "{{ (-9223372036854775807 - 1)|abs }}", "{{ -(-9223372036854775807 - 1) }}",
    "{{ (-9223372036854775807 - 1) // -1 }}", "{{ [9223372036854775807, 1]|sum }}", "{{ '%d' % 1e300 }}",
    "{{ 9223372036854775807|round(-1) }}",
    "{% set ns = namespace(s='') %}{% for i in range(100000) %}{% set ns.s = ns.s ~ 'xxxxxxxxxxxxxxxx' %}{% endfor %}",
    "{% set ns = namespace() %}{% set ns.a = namespace(x=ns) %}{% set ns.b = [ns.a, ns.a, ns.a, ns.a] %}{{ ns }}",
    "{% set x = range(90000)|list %}{% for i in x %}{% if -1 in x %}{% endif %}{% endfor %}",
    "{% set x = range(90000)|list %}{% for i in range(90000) %}{% if x == range(90000)|list %}{% endif %}{% endfor %}",
    "{{ range(90000)|map('string')|map('center', 500)|join }}",
    "{% set x %}{% for i in range(99999) %}{{ 'x' * 100 }}{% endfor %}{% endset %}",
  ])
  func hostileTemplatesHitALimit(source: String) throws {
    let error = try #require(failure(source))
    #expect(error.kind == .limit, "\(error)")
    #expect(error.place.line == "1")
  }

  /// Extreme integers where an unchecked operation would trap.
  @Test(arguments: [
    "{{ (-9223372036854775807 - 1) % -1 }}", "{{ 'abc'[9223372036854775807:] }}",
    "{{ 'abc'[-9223372036854775807 - 1:] }}", "{{ 'abc'[::9223372036854775807] }}",
    "{{ 'abc'[::-9223372036854775807 - 1] }}", "{{ [1, 2][9223372036854775807] }}",
    "{{ [1, 2][-9223372036854775807 - 1] }}", "{{ range(9223372036854775806, 9223372036854775807)|list }}",
    "{{ range(0, 9223372036854775807, 9223372036854775807)|list }}",
    "{{ range(10, 0, -9223372036854775807 - 1)|list }}", "{{ range(3)[::9223372036854775807] }}",
    "{{ range(5, 9223372036854775807, 4611686018427387904)[::-1]|list }}",
    "{{ 'abc'|truncate(9223372036854775807) }}", "{{ 1.5|round(9223372036854775807) }}",
    "{{ 1.5|round(-9223372036854775807) }}", "{{ 15|round(-9223372036854775807) }}",
    "{{ 1.5|round(9223372036854775807, 'ceil') }}", "{{ 1|round(-400, 'floor') }}",
    "{{ 'abc'.find('c', -9223372036854775807 - 1, 9223372036854775807) }}",
    "{{ [1].index(1, -9223372036854775807 - 1) }}", "{{ 'a,b'.split(',', 9223372036854775807) }}",
    "{{ 'aa'.replace('a', 'b', 9223372036854775807) }}", "{{ '%-*d' % (-9223372036854775807 - 1, 1) }}",
    "{{ [1]|batch(-1)|list }}", "{{ [1]|slice(-1)|list }}", "{{ 'x'|center(-1) }}", "{{ 'x' * -5 }}",
    "{{ 1e308 * 10 // 1 }}", "{{ (1e308 * 10)|int }}", "{{ (1e308 * 10)|round }}", "{{ 1e300|round(2) }}",
    "{{ (1e308 * 10 - 1e308 * 10)|int }}", "{{ 5 // 1e-320 }}", "{{ 5 % 1e308 }}", "{{ 0.0 // -1 }}",
    "{{ '{:c}'.format(-1) }}", "{{ '{:c}'.format(55296) }}", "{{ '%c' % 1114112 }}", "{{ '\\ud800' }}",
    "{{ 1e300|filesizeformat }}", "{{ (1e308 * 10)|filesizeformat }}", "{{ -1e30|filesizeformat }}",
    "{{ 'x'|wordwrap(1) }}", "{{ 'x'|wordwrap(0) }}", "{{ ('-' * 300000)|wordwrap(1)|length }}",
    "{{ ('x' * 300000)|wordwrap(1)|length }}", "{{ ('ab' * 100000).count('ab' * 9 ~ 'b') }}",
    "{{ '' * 10**15 }}", "{{ [] * 10**15 }}",
    "{{ () * 10**15 }}", "{{ 'x' * 1000|int }}", "{{ ''[0] }}", "{{ '{0[}'.format(1) }}",
    "{{ '{99999999999999999999}'.format(1) }}", "{{ '{:99999999999999999999}'.format(1) }}",
    "{{ '%99999999999999999999d' % 1 }}", "{{ 'a'.expandtabs(-3) }}", "{{ strftime_now('%') }}",
    "{{ strftime_now('%-') }}", "{{ strftime_now('%Q%_') }}",
    "{{ [[1]]|map(attribute='99999999999999999999')|list }}",
  ])
  func extremeNumbersDoNotTrap(source: String) { _ = failure(source) }

  @Test func deepVariablesAreRefused() throws {
    var value = JSONValue.int(1)
    for _ in 0..<2_000 { value = .array([value]) }
    let error = try #require(failure("{{ x }}", JSONObject([.init("x", value)])))
    #expect(error.kind == .limit)
    // Freed one by one: the library's own destruction of nested values recurses.
    while case .array(let items) = value { value = items[0] }
  }

  @Test func smallStacksAreNotOverrun() async throws {
    var limits = TemplateLimits()
    (limits.nesting, limits.recursion) = (1_000_000, 1_000_000)
    let nested = "{{ " + String(repeating: "(", count: 50_000) + String(repeating: ")", count: 50_000) + " }}"
    #expect(try #require(failure(nested, JSONObject(), limits)).kind == .limit)
    let endless = "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"
    #expect(try #require(failure(endless, JSONObject(), limits)).kind == .limit)
  }

  @Test func cyclesAreFreedAfterARender() throws {
    let source =
      "{% set ns = namespace() %}{% set ns.me = [ns] %}{% macro m() %}{{ m }}{% endmacro %}{{ m() }}"
    let template = try Template(source)
    #expect(try template.render(JSONObject()) == "<Macro 'm'>")
  }
}
