from msrestazure.azure_active_directory import get_msi_token

token = get_msi_token('https://management.azure.com/', port=50342)
