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
      RunCommand.self, InfoCommand.self, GraphCommand.self, LogitsCommand.self, TokenizeCommand.self,
      DetokenizeCommand.self, TemplateCommand.self,
    ])

  static func main() {
    // A reader that goes away shows as an error of `write`, and ends the program quietly.
    signal(SIGPIPE, SIG_IGN)
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

/// The C library's `exit`, which `ParsableCommand.exit` hides.
private func leave(_ code: Int32) -> Never { exit(code) }
