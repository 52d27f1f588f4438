package import IngotCore

/// The 256 bytes as GPT-2 writes them, each with itself as id: printable ones stand for themselves, others follow
/// from U+0100 on.
package func byteVocabulary() -> JSONObject {
  var vocabulary = JSONObject()
  var next: UInt32 = 256
  for byte in UInt32(0)..<256 {
    let isPrintable = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
    let scalar = Unicode.Scalar(isPrintable ? byte : next) ?? " "
    if !isPrintable { next += 1 }
    vocabulary[String(Character(scalar))] = .int(Int(byte))
  }
  return vocabulary
}
