import ArgumentParser
import Ingot

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The `ingot` command.
@main
struct IngotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingot",
    abstract: "Runs decoder-only language models, and shows what they are made of.",
    discussion: "MODEL is a folder of config.json and *.safetensors, or a .gguf file.",
    version: "ingot 0.1.0",
    subcommands: [
      RunCommand.self, BenchCommand.self, InfoCommand.self, GraphCommand.self, LogitsCommand.self,
      TokenizeCommand.self,
      DetokenizeCommand.self, TemplateCommand.self, ExportCommand.self, VerifyCommand.self,
      DumpCommand.self, CompareCommand.self, PerplexityCommand.self, StageCommand.self, PipelineCommand.self,
      CompileCommand.self, KeygenCommand.self, EncryptCommand.self, DecryptCommand.self,
    ])

  static func main() {
    // A reader that goes away shows as an error of `write`, and ends the program quietly.
    signal(SIGPIPE, SIG_IGN)
    occupyStandardDescriptors()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as IngotError {
      standardError("error: \(error)\n")
      leave(1)
    } catch is BrokenPipe {
      leave(0)
    } catch let error where exitCode(for: error) == .validationFailure {
      // ArgumentParser's own message, in our form.
      standardError("error: argument: \(message(for: error))\n  hint: see 'ingot --help'\n")
      leave(1)
    } catch {
      exit(withError: error)
    }
  }
}

/// Opens what of stdin, stdout and stderr is closed, in the direction that fails: otherwise the next file opened
/// would take the number, and messages would be written into it.
private func occupyStandardDescriptors() {
  for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
    _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
  }
}

/// The C library's `exit`, which `ParsableCommand.exit` hides.
private func leave(_ code: Int32) -> Never { exit(code) }
