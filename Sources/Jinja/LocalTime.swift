#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A date and time of day, as `strftime_now` formats them.
public struct LocalTime: Sendable, Equatable {
  /// The year, as 2026.
  public var year: Int
  /// 1 to 12.
  public var month: Int
  /// 1 to 31.
  public var day: Int
  /// 0 to 23.
  public var hour: Int
  /// 0 to 59.
  public var minute: Int
  /// 0 to 60.
  public var second: Int

  /// Makes a time; out-of-range parts are only harmless, not corrected.
  public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, second)
  }

  /// The clock's time in the time zone of the process.
  public static var current: LocalTime {
    var seconds = time(nil)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return LocalTime(
      year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
      hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: Int(parts.tm_sec))
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// Days since the first of January.
  private var dayOfYear: Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    let index = min(max(month, 1), 12) - 1
    return before[index] + (isLeap && index > 1 ? 1 : 0) + day - 1
  }

  /// 0 for Sunday, by Sakamoto's method.
  private var weekday: Int {
    let offsets = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]
    let index = min(max(month, 1), 12) - 1
    let year = index < 2 ? self.year - 1 : self.year
    let sum = year + year / 4 - year / 100 + year / 400 + offsets[index] + day
    return ((sum % 7) + 7) % 7
  }

  /// The time in a format of C's `strftime`, in English; `%-d` and its like leave out padding.
  func formatted(_ format: String) -> String {
    var result = ""
    var rest = format.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "%", let next = rest.first else {
        result.unicodeScalars.append(scalar)
        continue
      }
      var padding: Unicode.Scalar?
      var directive = next
      if "-_0".unicodeScalars.contains(next), let after = rest.dropFirst().first {
        (padding, directive) = (next, after)
        rest.removeFirst()
      }
      rest.removeFirst()
      if let text = text(directive, padding) {
        result += text
      } else {
        result += "%"
        if let padding { result.unicodeScalars.append(padding) }
        result.unicodeScalars.append(directive)
      }
    }
    return result
  }

  private func text(_ directive: Unicode.Scalar, _ padding: Unicode.Scalar?) -> String? {
    func number(_ value: Int, _ width: Int, _ fill: String = "0") -> String {
      let fill = padding == "_" ? " " : padding == "0" ? "0" : fill
      let digits = String(value)
      let missing = padding == "-" ? 0 : max(width - digits.count, 0)
      return String(repeating: fill, count: missing) + digits
    }
    let month = LocalTime.months[min(max(self.month, 1), 12) - 1]
    let hour12 = hour % 12 == 0 ? 12 : hour % 12
    switch directive {
    case "Y": return String(year)
    case "y": return number(year % 100, 2)
    case "C": return number(year / 100, 2)
    case "m": return number(self.month, 2)
    case "d": return number(day, 2)
    case "e": return number(day, 2, " ")
    case "H": return number(hour, 2)
    case "I": return number(hour12, 2)
    case "k": return number(hour, 2, " ")
    case "l": return number(hour12, 2, " ")
    case "M": return number(minute, 2)
    case "S": return number(second, 2)
    case "f": return "000000"
    case "j": return number(dayOfYear + 1, 3)
    case "B": return month
    case "b", "h": return String(month.prefix(3))
    case "A": return LocalTime.weekdays[weekday]
    case "a": return String(LocalTime.weekdays[weekday].prefix(3))
    case "w": return String(weekday)
    case "u": return String(weekday == 0 ? 7 : weekday)
    case "U": return number((dayOfYear + 7 - weekday) / 7, 2)
    case "W": return number((dayOfYear + 7 - (weekday + 6) % 7) / 7, 2)
    case "p": return hour < 12 ? "AM" : "PM"
    case "P": return hour < 12 ? "am" : "pm"
    case "D", "x": return formatted("%m/%d/%y")
    case "F": return formatted("%Y-%m-%d")
    case "T", "X": return formatted("%H:%M:%S")
    case "R": return formatted("%H:%M")
    case "r": return formatted("%I:%M:%S %p")
    case "c": return formatted("%a %b %e %H:%M:%S %Y")
    case "Z", "z": return ""
    case "n": return "\n"
    case "t": return "\t"
    case "%": return "%"
    default: return nil
    }
  }
}
