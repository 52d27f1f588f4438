import Ingot

// The lines of Swift in the catalogue's articles, compiled but not run: the models they name are the reader's.

private func landingPage() throws {
  let model = try TextModel("qwen3.ingot")
  let text = try model.share(contentsOf: "article.txt")
  print(try text.ask("Who wrote it?").text)
}

private func gettingStarted() async throws {
  let model = try TextModel("qwen3.ingot")
  let text = try model.share(contentsOf: "article.txt")
  print("shared \(text.shared.tokens) tokens")

  var options = GenerationOptions()
  options.sampling = .greedy
  options.maxTokens = 64
  let answer = try text.ask("Who wrote it?", options: options)
  print(answer.text, answer.finishReason)

  for try await event in text.stream("What is it about?", options: options) {
    if case .text(let piece) = event { print(piece, terminator: "") }
  }

  let moved = try text.reuse(on: TextModel("qwen3-long.ingot"))
  text.free()
  moved.free()
}

private func forks() throws {
  var modelOptions = TextModel.Options()
  modelOptions.sequences = 2
  let model = try TextModel("qwen3.ingot", options: modelOptions)
  let text = try model.share(contentsOf: "article.txt")
  let other = text.fork()
  other.rollback()
}

private func tokens(_ model: TextModel) throws {
  let prompt = try SharedPrompt("Ingots are cast.", tokenizer: model.tokenizer())
  let set = try StageSet(share: 128, unshare: 64, total: 256)
  let session = try SharedSession(model.generator, set)
  try session.share(prompt.prefix)
  let reply = try session.ask(prompt.question("How are they made?"), drafter: PromptLookup())
  print(reply.text)
}
