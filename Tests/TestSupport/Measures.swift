/// Squared error relative to the reference's energy: 0 for equal, 1 for unrelated; NaN poisons it.
package func nmse(_ values: [Float], _ reference: [Double]) -> Double {
  guard values.count == reference.count else { return .infinity }
  var (error, energy) = (0.0, 0.0)
  for (value, wanted) in zip(values, reference) {
    error += (Double(value) - wanted) * (Double(value) - wanted)
    energy += wanted * wanted
  }
  return error / max(energy, 1e-300)
}

package func nmse(_ values: [Float], _ reference: [Float]) -> Double {
  nmse(values, reference.map(Double.init))
}
