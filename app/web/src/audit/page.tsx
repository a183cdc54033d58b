export default function AuditPage() {
  return <main className="audit"><h1>Audit</h1></main>;
}
