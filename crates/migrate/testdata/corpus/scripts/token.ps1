$response = Invoke-WebRequest -Uri http://localhost:50342/oauth2/token -Method GET -Body @{resource="https://management.azure.com/"} -Headers @{Metadata="true"}
$again = Invoke-RestMethod -Uri 'http://localhost:50342/oauth2/token' `
    -Method Post `
    -Body @{ resource = 'https://vault.azure.net' } `
    -Headers @{ Metadata = 'true' }
$postBody = "authority=https://login.microsoftonline.com/$tenant&resource=https://management.azure.com/"
$reponse = Invoke-WebRequest -Uri http://localhost:50342/oauth2/token -Method POST -Body $postBody -UseBasicParsing
