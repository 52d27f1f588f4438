internal import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Another program, run to its end.
enum ChildProcess {
  struct Outcome {
    /// What it returned; negative for the signal that ended it.
    var status: Int32
    var output: String
    /// The end of what it wrote to stderr.
    var errors: String
  }

  /// Most bytes of output: no list of results is longer.
  private static let longestOutput = 64 << 20

  /// Runs a program, looked for along PATH where it is a name, with nothing to read.
  /// - Throws: `.io` when it cannot be started, `.limit` for endless output.
  static func run(_ program: String, _ arguments: [String]) throws(IngotError) -> Outcome {
    let errors = try temporaryFile()
    defer { close(errors) }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .system("cannot make a pipe", path: program) }
    defer { close(ends[0]) }
    let child: pid_t
    do throws(IngotError) {
      child = try start(program, arguments, output: ends[1], errors: errors, unused: ends[0])
    } catch {
      close(ends[1])
      throw error
    }
    close(ends[1])
    var output: [UInt8] = []
    var isEndless = false
    while read(ends[0], into: &output) {
      if output.count > longestOutput {
        isEndless = true
        kill(child, SIGKILL)
        break
      }
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    if isEndless {
      throw IngotError(.limit, "more than \(longestOutput) bytes of output", at: .init(file: program))
    }
    lseek(errors, max(0, lseek(errors, 0, SEEK_END) - 2000), SEEK_SET)
    var tail: [UInt8] = []
    while read(errors, into: &tail) {}
    // As WIFSIGNALED and WEXITSTATUS say, which are macros.
    let signal = status & 0x7f
    return Outcome(
      status: signal != 0 ? -signal : (status >> 8) & 0xff, output: String(decoding: output, as: UTF8.self),
      errors: String(decoding: tail, as: UTF8.self))
  }

  private static func read(_ descriptor: Int32, into bytes: inout [UInt8]) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
      while true {
        #if canImport(Darwin)
          let count = Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #else
          let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
        if count < 0 && errno == EINTR { continue }
        if count > 0 { bytes += buffer.prefix(count) }
        return count > 0
      }
    }
  }

  /// A file without a name.
  private static func temporaryFile() throws(IngotError) -> Int32 {
    guard let file = tmpfile() else { throw .system("cannot make a temporary file", path: "/tmp") }
    defer { fclose(file) }
    return fcntl(fileno(file), F_DUPFD_CLOEXEC, 3)
  }

  private static func start(
    _ program: String, _ arguments: [String], output: Int32, errors: Int32, unused: Int32
  ) throws(IngotError) -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    posix_spawn_file_actions_addclose(&actions, unused)
    posix_spawn_file_actions_addclose(&actions, output)
    // We ignore broken pipes; programs expect not to.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child = pid_t()
    let code = posix_spawnp(&child, program, &actions, &attributes, &words, environ)
    guard code == 0 else {
      errno = code
      throw .system("cannot start the program", path: program)
    }
    return child
  }
}
