export default function OversightPage() {
  return <main className="oversight"><h1>Drafts in use</h1></main>;
}
