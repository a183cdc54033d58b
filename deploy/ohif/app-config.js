// OHIF 3.13 on this service: takes the place of the app-config.js that OHIF brings. See docs/operations/dicomweb.md.
window.config = {
  routerBasename: null,
  extensions: [],
  modes: [],
  // Only the study that was opened. OHIF would add every study with the same PatientID, whoever issued it; 'all' is
  // right where one issuer alone gives out numbers.
  customizationService: [{ 'studyBrowser.studyMode': { $set: 'primary' } }],
  showStudyList: true,
  maxNumberOfWebWorkers: 3,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  defaultDataSourceName: 'unirg',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'unirg',
      configuration: {
        friendlyName: 'UniRG',
        name: 'unirg',
        qidoRoot: '/dicom-web/displayed',
        wadoRoot: '/dicom-web/displayed',
        wadoUriRoot: '/dicom-web/displayed',
        qidoSupportsIncludeField: false,
        imageRendering: 'wadors',
        thumbnailRendering: 'rendered',
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        bulkDataURI: { enabled: false },
      },
    },
  ],
}
